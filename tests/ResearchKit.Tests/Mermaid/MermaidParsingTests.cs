using ResearchKit.Mermaid;
using ResearchKit.Mermaid.Classes;
using ResearchKit.Mermaid.Flowcharts;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Reading;
using ResearchKit.Mermaid.Sequences;
using ResearchKit.Mermaid.States;

namespace ResearchKit.Tests.Mermaid;

/// <summary>What the notations mean, and how errors name their place.</summary>
public sealed class MermaidParsingTests
{
    [Theory]
    [InlineData("A", "A", NodeShape.Rectangle)]
    [InlineData("A[a b]", "a b", NodeShape.Rectangle)]
    [InlineData("A(a)", "a", NodeShape.Round)]
    [InlineData("A([a])", "a", NodeShape.Stadium)]
    [InlineData("A[[a]]", "a", NodeShape.Subroutine)]
    [InlineData("A[(a)]", "a", NodeShape.Cylinder)]
    [InlineData("A((a))", "a", NodeShape.Circle)]
    [InlineData("A(((a)))", "a", NodeShape.DoubleCircle)]
    [InlineData("A(-a-)", "a", NodeShape.Ellipse)]
    [InlineData("A{a}", "a", NodeShape.Rhombus)]
    [InlineData("A{{a}}", "a", NodeShape.Hexagon)]
    [InlineData("A>a]", "a", NodeShape.Flag)]
    [InlineData("A[/a/]", "a", NodeShape.LeanRight)]
    [InlineData("A[\\a\\]", "a", NodeShape.LeanLeft)]
    [InlineData("A[/a\\]", "a", NodeShape.Trapezoid)]
    [InlineData("A[\\a/]", "a", NodeShape.TrapezoidUpsideDown)]
    [InlineData("A[\"a ] (b) --> c\"]", "a ] (b) --> c", NodeShape.Rectangle)]
    [InlineData("A{\"über 日本\"}", "über 日本", NodeShape.Rhombus)]
    [InlineData("A[one<br/>two<BR>three]", "one two three", NodeShape.Rectangle)]
    [InlineData("A[\"#quot;x#quot; #35; &lt;b&gt;\"]", "\"x\" # <b>", NodeShape.Rectangle)]
    [InlineData("A@{ shape: cyl, label: \"a\" }", "a", NodeShape.Cylinder)]
    internal void Brackets_give_the_shape(string text, string label, NodeShape shape)
    {
        var node = Assert.Single(Flowchart(text).Nodes);
        Assert.Equal(("A", label, shape), (node.Id, node.Label.Spoken, node.Shape));
    }

    [Theory]
    [InlineData("-->", EdgeLine.Solid, EdgeHead.None, EdgeHead.Arrow, 1)]
    [InlineData("---", EdgeLine.Solid, EdgeHead.None, EdgeHead.None, 1)]
    [InlineData("-.->", EdgeLine.Dotted, EdgeHead.None, EdgeHead.Arrow, 1)]
    [InlineData("-.-", EdgeLine.Dotted, EdgeHead.None, EdgeHead.None, 1)]
    [InlineData("==>", EdgeLine.Thick, EdgeHead.None, EdgeHead.Arrow, 1)]
    [InlineData("===", EdgeLine.Thick, EdgeHead.None, EdgeHead.None, 1)]
    [InlineData("--x", EdgeLine.Solid, EdgeHead.None, EdgeHead.Cross, 1)]
    [InlineData("--o", EdgeLine.Solid, EdgeHead.None, EdgeHead.Circle, 1)]
    [InlineData("<-->", EdgeLine.Solid, EdgeHead.Arrow, EdgeHead.Arrow, 1)]
    [InlineData("o--o", EdgeLine.Solid, EdgeHead.Circle, EdgeHead.Circle, 1)]
    [InlineData("x--x", EdgeLine.Solid, EdgeHead.Cross, EdgeHead.Cross, 1)]
    [InlineData("---->", EdgeLine.Solid, EdgeHead.None, EdgeHead.Arrow, 3)]
    [InlineData("-...->", EdgeLine.Dotted, EdgeHead.None, EdgeHead.Arrow, 3)]
    [InlineData("~~~", EdgeLine.Invisible, EdgeHead.None, EdgeHead.None, 1)]
    internal void Arrows_give_line_and_heads(string arrow, EdgeLine line, EdgeHead start, EdgeHead end, int length)
    {
        foreach (var text in new[] { $"A {arrow} B", $"A {arrow} |\"a label\"| B" })
        {
            var edge = Assert.Single(Flowchart(text).Edges);
            Assert.Equal((line, start, end, length), (edge.Line, edge.StartHead, edge.EndHead, edge.Length));
            Assert.Equal(("A", "B", text.Contains('|') ? "a label" : null), (edge.From.Id, edge.To.Id, edge.Label?.Spoken));
        }
    }

    [Theory]
    [InlineData("A -- some text --> B", EdgeLine.Solid)]
    [InlineData("A--some text-->B", EdgeLine.Solid)]
    [InlineData("A == some text ==> B", EdgeLine.Thick)]
    [InlineData("A -. some text .-> B", EdgeLine.Dotted)]
    [InlineData("A -- \"some text\" --> B", EdgeLine.Solid)]
    internal void Text_inside_an_arrow_is_its_label(string text, EdgeLine line)
    {
        var edge = Assert.Single(Flowchart(text).Edges);
        Assert.Equal(("some text", line, EdgeHead.Arrow), (edge.Label!.Spoken, edge.Line, edge.EndHead));
    }

    [Fact]
    public void Chains_and_ampersands_connect_all_nodes_of_both_sides()
    {
        var graph = Flowchart("A & B --> C --> D & E; F-->A\n%% a comment --> X\nstep-1.2 --> F");
        Assert.Equal(["A>C", "B>C", "C>D", "C>E", "F>A", "step-1.2>F"],
            graph.Edges.Select(edge => $"{edge.From.Id}>{edge.To.Id}"));
        Assert.Equal(7, graph.Nodes.Count);
    }

    [Fact]
    public void Subgraphs_hold_their_nodes_and_can_be_ends_of_edges()
    {
        var graph = Flowchart("X --> s\nsubgraph s [The \"group\"]\n direction LR\n a --> b\n subgraph \"in it\"\n c\n "
            + "end\nend\na --> X");
        Assert.Equal(["s", "subgraph 1"], graph.Groups.Select(group => group.Id));
        Assert.Equal("s", Assert.IsType<GraphGroup>(graph.Edges[0].To).Id);
        Assert.Equal(Direction.Right, graph.Groups[0].Direction);
        Assert.Equal(["a", "b"], graph.Groups[0].Items.OfType<GraphNode>().Select(node => node.Id));
        Assert.Equal("in it", graph.Groups[1].Label.Spoken);
        Assert.Equal(["X"], graph.Root.Items.OfType<GraphNode>().Select(node => node.Id));
    }

    [Fact]
    public void Colors_and_widths_are_applied_and_unsafe_values_and_links_are_ignored()
    {
        var graph = Flowchart("A:::hot --> B\nclassDef hot fill:#800,stroke:red,color:rgb(1, 2, 3)\nstyle B "
            + "fill:url(http://x/y),stroke:\"><b>,stroke-width:3px"
            + "\nlinkStyle 0 stroke:blue,fill:expression(1)\nclick A \"javascript:alert(1)\" \"tip\"\nclick B callback");
        Assert.Equal(new Paint("#800", "red", "rgb(1, 2, 3)"), graph.PaintOf(graph.Nodes[0]));
        Assert.Equal(new Paint(Width: 3), graph.PaintOf(graph.Nodes[1]));
        Assert.Equal(new Paint(Stroke: "blue"), graph.PaintOf(0));
    }

    [Fact]
    public void State_diagrams_are_parsed_with_starts_ends_groups_and_notes()
    {
        var graph = StateParser.Read(After("[*] --> a\na --> b : go\nstate b {\n [*] --> c\n c --> [*]\n}\nstate x "
            + "<<choice>>\nb --> x\nstate \"Long name\" as n\nn : said anew\nnote right of a\n  two\n  lines\nend note"));
        Assert.Equal(6, graph.Edges.Count);
        Assert.Equal("go", graph.Edges[1].Label!.Spoken);
        Assert.IsType<GraphGroup>(graph.Edges[1].To);
        Assert.Equal(2, graph.Nodes.Count(node => node.Shape == NodeShape.Start));
        Assert.Equal(NodeShape.Rhombus, ((GraphNode)graph.Find("x")!).Shape);
        Assert.Equal("said anew", graph.Find("n")!.Label.Spoken);
        Assert.Equal(["two", "lines"], graph.Nodes.Single(node => node.Shape == NodeShape.Note).Label.Lines);
    }

    [Fact]
    public void Class_diagrams_are_parsed_with_members_and_relations()
    {
        var graph = ClassParser.Read(After("class Box~T~ {\n <<interface>>\n +List~int~ items\n +Get(int i) T\n}\nBox <|.. "
            + "Crate : makes\nCrate \"1\" *-- \"many\" Nail\nNail : +int length"));
        var box = graph.Nodes[0];
        Assert.Equal(["«interface»", "Box<T>"], box.Label.Lines);
        Assert.Equal(["+List<int> items"], box.Compartments[0].Lines);
        Assert.Equal(["+Get(int i) : T"], box.Compartments[1].Lines);
        Assert.Equal((EdgeHead.Triangle, EdgeHead.None, EdgeLine.Dotted),
            (graph.Edges[0].StartHead, graph.Edges[0].EndHead, graph.Edges[0].Line));
        Assert.Equal((EdgeHead.Diamond, "1", "many"),
            (graph.Edges[1].StartHead, graph.Edges[1].StartText!.Spoken, graph.Edges[1].EndText!.Spoken));
    }

    [Theory]
    [InlineData("->", false, EdgeHead.None)]
    [InlineData("-->", true, EdgeHead.None)]
    [InlineData("->>", false, EdgeHead.Arrow)]
    [InlineData("-->>", true, EdgeHead.Arrow)]
    [InlineData("-x", false, EdgeHead.Cross)]
    [InlineData("--x", true, EdgeHead.Cross)]
    [InlineData("-)", false, EdgeHead.Open)]
    [InlineData("--)", true, EdgeHead.Open)]
    internal void Messages_have_lines_and_heads(string arrow, bool isDashed, EdgeHead head)
    {
        var sequence = SequenceParser.Read(After($"participant B as Bob<br/>Smith\nA{arrow}+B: hi: there\n"));
        var message = Assert.IsType<Message>(sequence.Items[0]);
        Assert.Equal((isDashed, head, "hi: there", true), (message.IsDashed, message.Head, message.Text.Spoken, message.Begins));
        Assert.Equal(["B", "A"], sequence.Participants.Select(who => who.Id));
        Assert.Equal(["Bob", "Smith"], sequence.Participants[0].Label.Lines);
    }

    [Fact]
    public void Frames_of_sequence_diagrams_contain_their_messages()
    {
        var sequence = SequenceParser.Read(After("alt is well\n A->>B: a\nelse is not\n loop twice\n  B->>B: b\n "
            + "end\nend\nNote over A,B: n\nactivate A\ndeactivate A"));
        var frame = Assert.IsType<SequenceFrame>(sequence.Items[0]);
        Assert.Equal(["is well", "is not"], frame.Sections.Select(section => section.Label.Spoken));
        Assert.Equal("loop", Assert.IsType<SequenceFrame>(Assert.Single(frame.Sections[1].Items)).Kind);
        Assert.Equal(4, sequence.Items.Count);
    }

    [Theory]
    [InlineData("graph TD\n  A[foo --> B\n  C", 2, 14, "found the end of the line; expected \"]\"")]
    [InlineData("graph TD\n  A --> B\n  B -> C", 3, 5, "found \"-\"; expected an arrow")]
    [InlineData("graph XY\n A", 1, 7, "found \"XY\"; expected a direction")]
    [InlineData("graph TD\n A -->", 2, 7, "found the end of the diagram; expected a node's name")]
    [InlineData("graph TD\n subgraph one\n A", 3, 3, "expected \"end\" for the subgraph \"one\"")]
    [InlineData("graph TD\n end", 2, 2, "without a \"subgraph\"")]
    [InlineData("\n\n%% words\ngrph TD\n A", 4, 1, "found \"grph\"; expected a kind of diagram")]
    [InlineData("", 1, 1, "found the end of the diagram; expected a kind")]
    [InlineData("graph TD\n subgraph s\n a --> s\n end", 3, 8, "cannot be a node inside itself")]
    [InlineData("graph TD\n A -- text B", 2, 13, "expected the arrow's end")]
    [InlineData("graph TD\n style X fill:red", 2, 8, "found \"X\"; expected a node")]
    [InlineData("graph TD\n A-->B\n linkStyle 3 stroke:red", 3, 12, "found edge 3; there are 1 edges")]
    [InlineData("sequenceDiagram\n A->>B", 2, 7, "expected \":\" and the message")]
    [InlineData("sequenceDiagram\n A+>B: x", 2, 3, "expected an arrow such as \"->>\"")]
    [InlineData("sequenceDiagram\n loop x\n A->>B: x", 3, 10, "expected \"end\" for \"loop\"")]
    [InlineData("stateDiagram-v2\n state a {\n b", 3, 3, "expected \"}\" for the state \"a\"")]
    [InlineData("classDiagram\n class A {\n +x", 3, 4, "expected \"}\" for the class \"A\"")]
    [InlineData("pie\n \"a\" : -3", 2, 8, "expected a number that is not negative")]
    [InlineData("pie title x", 1, 12, "expected slices")]
    public void Errors_name_the_position_the_text_found_and_the_text_expected(string source, int line, int column, string words)
    {
        var error = Assert.Throws<MermaidException>(() => MermaidDiagram.Html(source));
        Assert.StartsWith($"({line},{column}): ", error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(("MermaidSyntaxError", line), (error.Kind, error.Line));
        Assert.Equal([error.Message, $"    {source.Split('\n')[line - 1]}", $"    {new string(' ', column - 1)}^"],
            error.Excerpt);
    }

    [Fact]
    public void Too_many_nodes_and_too_deep_nesting_are_refused()
    {
        var error = Assert.Throws<MermaidException>(() =>
            MermaidDiagram.Html("graph TD\n" + string.Join('\n', Enumerable.Range(0, Graph.MostNodes + 1).Select(i => $"n{i}"))));
        Assert.Contains("more than 2,000 nodes", error.Message, StringComparison.Ordinal);
        Assert.Equal(Graph.MostNodes + 2, error.Line);
        var deep = Assert.Throws<MermaidException>(() =>
            MermaidDiagram.Html("graph TD\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"subgraph s{i}\n"))));
        Assert.Contains("deep inside each other", deep.Message, StringComparison.Ordinal);
    }

    private static Graph Flowchart(string statements) => FlowchartParser.Read(After(statements));

    /// <summary>A reader behind the word that names the kind of diagram.</summary>
    private static MermaidReader After(string statements) => new($"\n{statements}");
}
