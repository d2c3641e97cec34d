using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Sessions;

/// <summary>Values that are hard to display.</summary>
public sealed class DisplayTests : IDisposable
{
    private readonly Session session = new(Path.GetTempPath());
    private readonly List<Output> outputs = [];
    private int count;

    public void Dispose() => session.Dispose();

    [Theory]
    [InlineData("var q = new List<object>(); q.Add(q); q.Add(7);\nq", "List<Object> [ …, 7 ]")]
    [InlineData("var a = new object[2]; a[0] = a; a[1] = a;\na", "Object[] [ …, … ]")]
    [InlineData("var h = new Hashtable(); h[1] = h;\nh", "Hashtable { 1: … }")]
    [InlineData("record Ring { public Ring Next { get; set; } }\nvar ring = new Ring(); ring.Next = ring;\nring",
        "Ring { Next: … }")]
    [InlineData("record Link(int At, Link Next);\nLink chain = null; for (var i = 0; i < 100_000; i++) chain = new(i, chain);\nchain",
        "Link { At: 99999, Next: Link { At: 99998")]
    [InlineData("object nest = 1; for (var i = 0; i < 100_000; i++) nest = Tuple.Create(nest, i);\nnest", "( ( ( (")]
    [InlineData("object nest = 1; for (var i = 0; i < 100_000; i++) nest = new List<object> { nest };\nnest",
        "List<Object> [ List<Object> [")]
    [InlineData("class Holder { public object Inner; }\nvar b = new List<object>(); b.Add(b);\nnew Holder { Inner = b }",
        "Holder")]
    [InlineData("class Self : IEnumerable<Self> { public IEnumerator<Self> GetEnumerator() { yield return this; }\n"
        + "IEnumerator IEnumerable.GetEnumerator() => GetEnumerator(); }\nnew Self()", "Self")]
    [InlineData("IEnumerable<object> More() { while (true) yield return More(); }\nMore()", "More")]
    [InlineData("class Tree { public string Name = \"t\"; public Tree Up; public List<Tree> All = new(); }\n"
        + "var t = new Tree(); t.Up = t; t.All.Add(t); t.All.Add(t);\nt", "Name: t")]
    [InlineData("class Getters { public int Bad => throw new InvalidOperationException(\"no value\"); public int Fine => 3; }\nnew Getters()",
        "no value")]
    [InlineData("class Words { public override string ToString() => $\"{this}\"; }\nnew Words()", "Words")]
    [InlineData("class Deep { public int Down => Down + 1; public int Fine => 3; }\nnew Deep()", "Fine: 3")]
    public async Task A_value_without_end_has_a_text_that_ends(string code, string expected)
    {
        await RunAsync(code);
        var data = outputs.OfType<ResultOutput>().Last().Data;
        Assert.Contains(expected, data["text/plain"], StringComparison.Ordinal);
        Assert.All(data.Values, text => Assert.InRange(text.Length, 1, 200_000));
        await RunAsync("display(1)");
    }

    [Fact]
    public async Task Every_mime_type_of_a_value_without_end_ends()
    {
        await RunAsync("class Node { public Node Next { get; set; } }\nvar n = new Node(); n.Next = n;\nvar q = new "
            + "ArrayList(); q.Add(q);\n"
            + "foreach (var mime in new[] { \"text/plain\", \"text/html\", \"application/json\" }) { display(n, mime); "
                + "display(q, mime); }");
        Assert.Equal(6, outputs.OfType<DisplayOutput>().Count());
        await RunAsync("new[] { (1, \"a\") }");
        Assert.Equal("ValueTuple<Int32, String>[] [ ( 1, \"a\" ) ]", outputs.OfType<ResultOutput>().Last().Data["text/plain"]);
    }

    [Theory]
    [InlineData("#r \"nuget: Newtonsoft.Json\"\nNewtonsoft.Json.Linq.JObject.Parse(\"{\\\"a\\\": [1, null]}\")")]
    [InlineData("System.Text.Json.Nodes.JsonNode.Parse(\"{\\\"a\\\": [1, null]}\")")]
    [InlineData("System.Text.Json.JsonDocument.Parse(\"{\\\"a\\\": [1, null]}\")")]
    [InlineData("System.Text.Json.JsonDocument.Parse(\"{\\\"a\\\": [1, null]}\").RootElement")]
    public async Task Json_is_shown_as_json(string code)
    {
        await RunAsync(code);
        var data = outputs.OfType<ResultOutput>().Last().Data;
        Assert.Equal("{\"a\":[1,null]}", string.Concat(data["application/json"].Where(c => !char.IsWhiteSpace(c))));
        Assert.Contains("\"a\": [", data["text/plain"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_formatter_that_throws_leaves_the_other_mime_types_and_the_cell_succeeds()
    {
        await RunAsync("record Own(int X);\nFormatter.Register<Own>((value, writer) => throw new Exception(\"mine\"), "
            + "\"text/html\");\n"
            + "new Own(3)");
        Assert.Equal(["text/plain"], outputs.OfType<ResultOutput>().Last().Data.Keys);
        var note = Assert.Single(outputs.OfType<StreamOutput>());
        Assert.Equal("stderr", note.Name);
        Assert.Contains("text/html formatter", note.Text, StringComparison.Ordinal);
        Assert.Contains("mine", note.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mime_type_that_was_asked_for_and_fails_is_an_error()
    {
        var outcome = await session.ExecuteAsync("display(1, \"application/x-nothing\")", ++count, outputs.Add);
        Assert.Equal("FormatterError", outcome.Error!.Name);
    }

    [Fact]
    public async Task The_formatters_of_a_notebook_come_first()
    {
        await RunAsync("using System.Text.Json.Nodes;\nFormatter.Register<JsonNode>((value, writer) => writer.Write(\"mine\"), "
            + "\"text/html\");\nJsonNode.Parse(\"[1]\")");
        Assert.Equal("mine", outputs.OfType<ResultOutput>().Last().Data["text/html"]);
        await RunAsync("Formatter.ResetToDefault();\nvar q = new List<object>(); q.Add(q);\nq");
    }

    private async Task RunAsync(string code)
    {
        var outcome = await session.ExecuteAsync(code, ++count, outputs.Add);
        Assert.True(outcome.Status == CellStatus.Succeeded, string.Join('\n', outcome.Error?.Traceback ?? []));
    }
}
