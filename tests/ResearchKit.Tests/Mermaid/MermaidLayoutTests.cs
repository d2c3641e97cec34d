using CsCheck;
using ResearchKit.Mermaid.Flowcharts;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Tests.Mermaid;

/// <summary>Laws of the layout, for any diagram.</summary>
public sealed class MermaidLayoutTests
{
    private static readonly string[] Directions = ["TD", "BT", "LR", "RL"];
    private static readonly string[] Arrows =
        ["-->", "---", "-.->", "==>", "--->", "-- a label -->", "-->|two<br/>lines|", "<-->"];
    private static readonly string[] Shapes =
        ["", "[a box]", "(round)", "([stadium])", "{choice}", "((circle))", "[[sub]]", "[(data)]", "{{hexagon}}", ">flag]"];

    private static readonly Gen<string> Charts = Gen.Select(
        OneOf(Directions), Gen.Int[1, 14], OneOf(Shapes).Array[14], Gen.Int[0, 3].Array[14],
        Gen.Select(Gen.Int[0, 13], Gen.Int[0, 13], OneOf(Arrows)).Array[0, 24])
        .Select((direction, count, shapes, groups, edges) => Chart(direction, count, shapes, groups, edges));

    [Fact]
    public void No_two_nodes_overlap_and_all_lie_inside_the_drawing() => Charts.Sample(chart =>
    {
        var (graph, placed) = Laid(chart);
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var box = placed.Items[graph.Nodes[i]];
            Inside(box, new Box(0, 0, placed.Width, placed.Height));
            for (var other = i + 1; other < graph.Nodes.Count; other++) Apart(box, placed.Items[graph.Nodes[other]]);
        }
    }, iter: 400);

    [Fact]
    public void Groups_contain_their_items_and_no_other_nodes() => Charts.Sample(chart =>
    {
        var (graph, placed) = Laid(chart);
        foreach (var group in graph.Groups)
        {
            foreach (var item in group.Items) Inside(placed.Items[item], placed.Items[group]);
            Inside(placed.Titles[group], placed.Items[group]);
            foreach (var node in graph.Nodes.Where(node => !node.Around.Contains(group)))
                Apart(placed.Items[node], placed.Items[group]);
            foreach (var node in graph.Nodes) Apart(placed.Items[node], placed.Titles[group]);
        }
    }, iter: 400);

    [Fact]
    public void No_label_covers_a_node_a_title_or_another_label() => Charts.Sample(chart =>
    {
        var (graph, placed) = Laid(chart);
        var labels = placed.Labels.Values.ToList();
        Assert.Equal(graph.Edges.Count(edge => edge.Label is not null), labels.Count);
        for (var i = 0; i < labels.Count; i++)
        {
            foreach (var node in graph.Nodes) Apart(labels[i], placed.Items[node]);
            foreach (var title in placed.Titles.Values) Apart(labels[i], title);
            for (var other = i + 1; other < labels.Count; other++) Apart(labels[i], labels[other]);
        }
    }, iter: 400);

    [Fact]
    public void Edges_end_at_the_borders_of_their_nodes_and_cross_no_other_node() => Charts.Sample(chart =>
    {
        var (graph, placed) = Laid(chart);
        foreach (var (edge, route) in placed.Routes)
        {
            var (first, last) = placed.Turned.Contains(edge) ? (edge.To, edge.From) : (edge.From, edge.To);
            AtBorder(route.Steps[0].End, first, placed);
            AtBorder(route.Steps[^1].End, last, placed);
            foreach (var point in Points(route))
                foreach (var node in graph.Nodes.Where(node => node != edge.From && node != edge.To))
                    Assert.False(Holds(placed.Items[node], point),
                        $"the edge {edge.From.Id} to {edge.To.Id} runs through {node.Id}");
        }
    }, iter: 400);

    [Fact]
    public void Without_cycles_every_edge_points_in_the_direction_of_flow() => Charts.Sample(chart =>
    {
        var forward = chart.Split('\n').Where(line => !line.StartsWith('n') || IsForward(line))
            .Where(line => !line.Contains("group", StringComparison.Ordinal) && line != "end");
        var (graph, placed) = Laid(string.Join('\n', forward));
        var flow = new Flow(graph.Root.Direction!.Value);
        Assert.Empty(placed.Turned);
        var height = flow.IsSideways ? placed.Width : placed.Height;
        foreach (var edge in graph.Edges)
        {
            var (from, to) = (placed.Items[edge.From].Centre, placed.Items[edge.To].Centre);
            Assert.True(flow.FromPage(from, height).Y < flow.FromPage(to, height).Y, $"{edge.From.Id} lies below {edge.To.Id}");
        }
    }, iter: 200);

    [Fact]
    public void A_tree_has_no_crossings()
    {
        var lines = Enumerable.Range(1, 60).Select(i => $"n{(i - 1) / 3} --> n{i}");
        var graph = FlowchartParser.Read(new MermaidReader($"TD\n{string.Join('\n', lines.Reverse())}"));
        var level = new LevelGraph(graph.Root, new Flow(Direction.Down),
            [.. graph.Edges.Select(edge => new LevelLink(edge, edge.From, edge.To))],
            new Dictionary<GraphGroup, Placement>(), new HashSet<GraphEdge>());
        Ordering.Reduce(level.Ranks);
        Assert.Equal(0, Ordering.Crossings(level.Ranks));
    }

    [Fact]
    public void The_largest_allowed_graph_is_laid_out()
    {
        var lines = Enumerable.Range(1, Graph.MostNodes - 1)
            .Select(i => $"n{(i * 7919L) % i} --> n{i}\nn{(i * 31L) % i} --> n{i}");
        var (_, placed) = Laid($"graph TD\n{string.Join('\n', lines)}");
        Assert.True(placed.Width > 0);
    }

    private static Gen<string> OneOf(string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static string Chart(string direction, int count, string[] shapes, int[] groups,
        (int From, int To, string Arrow)[] edges)
    {
        var lines = new List<string> { $"graph {direction}" };
        for (var group = 1; group <= 3; group++)
        {
            lines.Add($"subgraph group{group} [Group number {group}]");
            for (var i = 0; i < count; i++) if (groups[i] == group) lines.Add($"n{i}{shapes[i]}");
            if (group != 2) lines.Add("end");   // the third lies in the second
        }
        lines.Add("end");
        for (var i = 0; i < count; i++) if (groups[i] == 0) lines.Add($"n{i}{shapes[i]}");
        lines.AddRange(edges.Select(edge => $"n{edge.From % count} {edge.Arrow} n{edge.To % count}"));
        return string.Join('\n', lines);
    }

    /// <summary>True for a node alone and for an edge to a later one.</summary>
    private static bool IsForward(string line)
    {
        var ends = System.Text.RegularExpressions.Regex.Match(line, @"^n(\d+) .*n(\d+)$");
        return !ends.Success || int.Parse(ends.Groups[1].Value, null) < int.Parse(ends.Groups[2].Value, null);
    }

    private static (Graph Graph, Placement Placed) Laid(string chart)
    {
        var graph = FlowchartParser.Read(new MermaidReader(chart["graph".Length..]));
        return (graph, GraphLayout.Of(graph));
    }

    private static void Inside(Box inner, Box outer) => Assert.True(
        inner.X >= outer.X - 0.01 && inner.Y >= outer.Y - 0.01 && inner.Right <= outer.Right + 0.01
            && inner.Bottom <= outer.Bottom + 0.01,
        $"{inner} is not inside {outer}");

    private static void Apart(Box a, Box b) => Assert.True(
        a.Right <= b.X + 0.01 || b.Right <= a.X + 0.01 || a.Bottom <= b.Y + 0.01 || b.Bottom <= a.Y + 0.01, $"{a} overlaps {b}");

    private static bool Holds(Box box, Point point) =>
        point.X > box.X + 0.5 && point.X < box.Right - 0.5 && point.Y > box.Y + 0.5 && point.Y < box.Bottom - 0.5;

    private static void AtBorder(Point point, GraphItem item, Placement placed)
    {
        var box = placed.Items[item];
        var border = Outline.Of(((GraphNode)item).Shape, box.Width, box.Height);
        var distance = Enumerable.Range(0, border.Count)
            .Min(i => Distance(point - box.Centre, border[i], border[(i + 1) % border.Count]));
        Assert.True(distance < 0.5, $"{point} is {distance:N2} pixels away from the border of {item.Id}");
    }

    private static double Distance(Point point, Point a, Point b)
    {
        var (way, to) = (b - a, point - a);
        var square = (way.X * way.X) + (way.Y * way.Y);
        var share = square < 1e-12 ? 0 : Math.Clamp(((to.X * way.X) + (to.Y * way.Y)) / square, 0, 1);
        return (to - (way * share)).Length;
    }

    /// <summary>Points along a way, close to each other.</summary>
    private static IEnumerable<Point> Points(Route route)
    {
        var from = route.Steps[0].End;
        foreach (var step in route.Steps.Skip(1))
        {
            for (var t = 0.0; step.Kind != 'M' && t <= 1; t += 0.05)
            {
                var u = 1 - t;
                yield return step.Kind == 'L' ? (from * u) + (step.End * t)
                    : (from * (u * u * u)) + (step.First * (3 * u * u * t)) + (step.Second * (3 * u * t * t))
                        + (step.End * (t * t * t));
            }
            from = step.End;
        }
    }
}
