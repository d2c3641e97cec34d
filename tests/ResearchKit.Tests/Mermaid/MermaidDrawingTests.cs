using System.Xml.Linq;
using CsCheck;
using ResearchKit.Mermaid;

namespace ResearchKit.Tests.Mermaid;

/// <summary>What a drawing is made of.</summary>
public sealed class MermaidDrawingTests
{
    private static readonly string[] Kinds =
    [
        "graph TD\n a[{0}] --> b[\"{1}\"]\n a -->|{2}| b\n subgraph \"{3}\"\n c\n end",
        "sequenceDiagram\n participant A as {0}\n A->>B: {1}\n Note over A: {2}\n loop {3}\n A->>A: {0}\n end",
        "stateDiagram-v2\n a : {0}\n a --> b : {1}\n note right of a : {2}\n state \"{3}\" as d",
        "classDiagram\n A : {0}\n A --> B : {1}\n note for A \"{2}\"\n class C[\"{3}\"]",
        "pie title {0}\n \"{1}\" : 1\n \"{2}\" : 2",
        "gantt\n title {0} {1}",
    ];

    [Fact]
    public void A_small_diagram_matches_the_approved_snapshot() =>
        Snapshot.Match(Html("flowchart LR\n  A[Start] --> B{Good?}\n  B -->|yes| C((End))\n  B -.->|no| A")
            .Replace("><", ">\n<", StringComparison.Ordinal));

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("x<img src=x onerror=alert(1)>")]
    [InlineData("</svg></div></style><b onclick=x>")]
    [InlineData("&lt;script&gt;alert(1)&lt;/script&gt;")]
    [InlineData("#lt;script#gt;")]
    [InlineData("' onload='alert(1)")]
    [InlineData("<!-- <![CDATA[ -->")]
    public void A_hostile_label_is_escaped_as_text(string label)
    {
        foreach (var kind in Kinds) Harmless(Html(Filled(kind, label, label, label, label)));
    }

    [Fact]
    public void Any_label_is_escaped_as_text() =>
        Gen.Select(Gen.Int[0, Kinds.Length - 1].Select(i => Kinds[i]),
        Gen.Char["<>&'=/!-ab;:#%{}()$"].Array[1, 24].Select(chars => new string(chars))).Sample((kind, label) =>
    {
        try
        {
            Harmless(Html(Filled(kind, label, label, label, label)));
        }
        catch (MermaidException)
        {
            // What is no diagram is refused; that is as good.
        }
    }, iter: 1500);

    [Fact]
    public void Drawings_have_no_ids_that_could_clash_on_a_page()
    {
        foreach (var kind in Kinds)
            Assert.DoesNotContain(XElement.Parse(Html(Filled(kind, "a", "b", "c", "d"))).DescendantsAndSelf().Attributes(),
                attribute => attribute.Name.LocalName == "id");
    }

    [Fact]
    public void The_description_for_screen_readers_lists_nodes_and_edges()
    {
        var svg = Drawing(Html("---\ntitle: Plan\n---\ngraph TD\n A[Think] -->|then| B[Act]\n subgraph g [Later]\n C[Rest]\n "
            + "end"));
        Assert.Equal("img", (string?)svg.Attribute("role"));
        Assert.Equal("Plan", Value(svg, "title"));
        Assert.Equal("Flowchart with 3 nodes and 1 edge. Later holds Rest. Think leads to Act (then). Rest stands alone.",
            Value(svg, "desc"));
    }

    [Fact]
    public void The_title_and_description_of_the_author_have_priority()
    {
        var svg = Drawing(Html("graph TD\n accTitle: The title\n accDescr {\n  In two\n  lines }\n A --> B"));
        Assert.Equal("The title", Value(svg, "title"));
        Assert.Equal("In two\n  lines", Value(svg, "desc"));
    }

    [Fact]
    public void Text_on_a_light_fill_is_dark_and_on_a_dark_fill_light()
    {
        var html = Html("graph TD\n A[on light]\n B[on dark]\n style A fill:#f9f\n style B fill:navy");
        Assert.Contains("fill:#000\">on light<", html, StringComparison.Ordinal);
        Assert.Contains("fill:#fff\">on dark<", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gantt")]
    [InlineData("erDiagram")]
    [InlineData("mindmap")]
    [InlineData("sankey-beta")]
    public void An_unsupported_kind_of_diagram_shows_its_source_and_a_note(string kind)
    {
        var html = Html($"{kind}\n  a <b>");
        Assert.Contains($"does not draw diagrams of the kind {kind}", html, StringComparison.Ordinal);
        Assert.Contains("a &lt;b&gt;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pie_chart_lists_its_shares_and_values()
    {
        var svg = Drawing(Html("pie showData\n title Parts\n \"one\" : 1\n \"three\" : 3"));
        Assert.Equal("Pie chart. one: 25%, three: 75%.", Value(svg, "desc"));
        Assert.Contains(svg.Descendants(), element => element.Value == "three [3]");
    }

    private static string Html(string source) => MermaidDiagram.Html(source);

    private static string Filled(string kind, params string[] labels) =>
        labels.Select((label, i) => (label, i))
            .Aggregate(kind, (text, pair) => text.Replace($"{{{pair.i}}}", pair.label, StringComparison.Ordinal));

    private static string Value(XElement svg, string name) =>
        svg.Elements().Single(element => element.Name.LocalName == name).Value;

    /// <summary>The drawing as XML: that it can be read as such shows that no label broke out.</summary>
    private static XElement Drawing(string html) =>
        XElement.Parse(html).Elements().Single(element => element.Name.LocalName == "svg");

    private static void Harmless(string html)
    {
        string[] known = ["div", "style", "svg", "title", "desc", "g", "rect", "ellipse", "path", "polygon", "text", "p", "pre"];
        foreach (var element in XElement.Parse(html).DescendantsAndSelf())
        {
            Assert.Contains(element.Name.LocalName, known);
            Assert.DoesNotContain(element.Attributes(), attribute =>
                attribute.Name.LocalName.StartsWith("on", StringComparison.OrdinalIgnoreCase)
                || attribute.Name.LocalName is "href" or "src");
        }
    }
}
