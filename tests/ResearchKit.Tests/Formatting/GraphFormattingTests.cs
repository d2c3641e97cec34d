using System.Xml.Linq;
using ResearchKit.Formatting;
using ResearchKit.Results;

namespace ResearchKit.Tests.Formatting;

public sealed class GraphFormattingTests
{
    [Fact]
    public void Page_of_a_graph() => Snapshot.Match(Shown.Document(Circuit()).ToString());

    [Fact]
    public void Text_of_a_graph() => Snapshot.Match(Shown.Text(Circuit()));

    [Fact]
    public void Layers_go_to_the_right_and_neighbours_are_side_by_side()
    {
        // the edges cross in the order of the nodes, and in no order of the layout
        var graph = new Graph("crossed", "", [new("a", "a", 0, 0), new("b", "b", 0, 0), new("x", "x", 0, 1), new("y", "y", 0, 1)],
            [new("a", "y", 1), new("b", "x", 1)]);
        var boxes = Boxes(Shown.Document(graph));
        Assert.True(boxes["a"].X < boxes["x"].X && boxes["b"].X < boxes["y"].X);
        Assert.Equal((boxes["a"].Y, boxes["b"].Y), (boxes["y"].Y, boxes["x"].Y));
    }

    [Fact]
    public void A_graph_of_100_nodes_stays_below_300_KB_and_no_two_nodes_overlap()
    {
        var nodes = Enumerable.Range(0, 100)
            .Select(number => new GraphNode($"n{number}", $"node {number}", number, number / 10)).ToList();
        var edges = from a in nodes
                    from b in nodes
                    where a.Layer < b.Layer
                    select new GraphEdge(a.Name, b.Name, a.Weight - b.Weight);
        var graph = new Graph("dense", "nats", nodes, [.. edges]);
        Assert.Equal(4_500, graph.Edges.Count);
        var page = Shown.Page(graph);
        Assert.InRange(page.Length, 50_000, 300_000);
        Assert.Contains("the 3,900 weakest edges are not shown", page, StringComparison.Ordinal);
        Assert.InRange(graph.ToSvg().Length, 50_000, 300_000);
        Assert.Equal(100, Boxes(Shown.Document(graph)).Values.Distinct().Count());
    }

    [Fact]
    public void Every_node_is_reached_by_the_keyboard_and_shows_its_edges()
    {
        var page = Shown.Page(Circuit());
        Assert.All(Nodes(Shown.Document(Circuit())), node =>
        {
            Assert.Equal("0", node.Attribute("tabindex")!.Value);
            Assert.NotEmpty(node.Attribute("aria-label")!.Value);
        });
        Assert.Contains(":has(.v1:is(:hover,:focus)) .n1", page, StringComparison.Ordinal);
        Assert.Contains("class=\"e n1 n2\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Red_and_blue_are_for_edges_of_both_signs()
    {
        Assert.Equal(["#3f87d9", "#d1495b"], Edges(Circuit()).Select(edge => edge.Attribute("stroke")!.Value).Order());
        var one = Circuit() with { Edges = [new("in", "head", 2)] };
        Assert.Equal("#3b82f6", Edges(one).Single().Attribute("stroke")!.Value);
    }

    [Fact]
    public void Any_text_is_escaped_and_odd_graphs_are_shown()
    {
        var graph = new Graph(Hostile.Text, Hostile.Text, [new(Hostile.Text, Hostile.Text, 1, 0)],
            [new(Hostile.Text, Hostile.Text, double.NaN)]);
        Hostile.AssertHarmless(graph);
        XElement.Parse(graph.ToSvg());
        Shown.Document(new Graph("none", "", [], []));
        Assert.NotEmpty(new Graph("none", "", [], []).ToPng());
        var many = Enumerable.Range(0, 900).Select(number => new GraphNode($"{number}", "", 0, number % 3)).ToList();
        Assert.Contains("500 nodes with the weakest edges are not shown", Shown.Page(new Graph("many", "", many, [])),
            StringComparison.Ordinal);
    }

    private static IEnumerable<XElement> Nodes(XElement page) =>
        page.Descendants("rect")
            .Where(box => ((string?)box.Attribute("class"))?.StartsWith("v ", StringComparison.Ordinal) == true);

    private static IEnumerable<XElement> Edges(Graph graph) => Shown.Document(graph).Descendants("path");

    private static Dictionary<string, (double X, double Y)> Boxes(XElement page) => Nodes(page).ToDictionary(
        node => node.Attribute("aria-label")!.Value, node => ((double)node.Attribute("x")!, (double)node.Attribute("y")!));

    private static Graph Circuit() => new("circuit", "nats",
        [new("in", "token", 0, 0), new("head", "head 0.1", 0.5, 1), new("out", "logits", 0, 2)],
        [new("in", "head", 1.5), new("head", "out", -0.25)])
    {
        Evidence = new Evidence { Law = "the effects add up", Error = 0.2, Tolerance = 1e-3 },
    };
}
