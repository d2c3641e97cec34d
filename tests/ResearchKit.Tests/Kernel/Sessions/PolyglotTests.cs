using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Sessions;

/// <summary>Cells of several languages in one session.</summary>
public sealed class PolyglotTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Session session;
    private readonly List<Output> outputs = [];
    private int count;

    public PolyglotTests() => session = new(folder.Path);

    public void Dispose()
    {
        session.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Values_are_shared_from_CSharp_to_FSharp_and_back()
    {
        await RunAsync("using TorchSharp; var x = \"from C#\"; var tensor = torch.arange(4).reshape(2, 2); var list = new "
            + "List<string>(); record Point(int X); var point = new Point(3);");
        await RunAsync("#!fsharp\n#!share --from csharp x\n#!share tensor --from csharp\n#!share list --from csharp\nlist.Add "
            + "\"added in F#\"\nlet total = tensor.sum().item<int64>()\nlet words = [| x; \"from F#\" |]\ntype Pair = { A: "
            + "int; B: string }\nlet pair = { A = 4; B = \"b\" }");
        await RunAsync("#!share --from fsharp words\n#!share total --from fsharp\n#!share pair --from "
            + "fsharp\nConsole.Write($\"{string.Join('+', words)} {total} {list[0]} {pair.A} {pair.B}\");");
        Assert.Equal("from C#+from F# 6 added in F# 4 b", Text());
        await RunAsync("#!fsharp\n#!who");
        Assert.Contains("words", Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_part_of_a_cell_shows_its_value_and_the_last_is_the_result()
    {
        await RunAsync("1 + 1\n#!fsharp\n[1; 2] |> List.sum");
        Assert.Equal("2", Assert.Single(outputs.OfType<DisplayOutput>()).Data["text/plain"]);
        Assert.Equal("3", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);
    }

    [Fact]
    public async Task An_error_names_the_line_within_the_cell_in_every_language()
    {
        var failed = await session.ExecuteAsync("1 + 1\n#!fsharp\nlet a = 1\nlet b: string = a", ++count, outputs.Add);
        Assert.StartsWith("(4,17): error FS0001", failed.Error!.Message, StringComparison.Ordinal);
        failed = await session.ExecuteAsync("#!fsharp\nlet c = 1\n#!csharp\n\nint d = \"text\";", ++count, outputs.Add);
        Assert.StartsWith("(5,9): error CS0029", failed.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Console_input_works_in_both_languages_after_FSharp_has_started()
    {
        session.Input = (prompt, _) => "answer";
        await RunAsync("#!fsharp\nlet a = System.Console.ReadLine()\nprintf \"%s\" "
            + "a\n#!csharp\nConsole.Write(Console.ReadLine());");
        await RunAsync("Console.Write(Console.ReadLine());");
        Assert.Equal("answeransweranswer", Text());
    }

    [Fact]
    public async Task A_cell_starts_in_the_requested_language()
    {
        var outcome = await session.ExecuteAsync("let x = 4\nx * 2", "fsharp", ++count, outputs.Add);
        Assert.Null(outcome.Error);
        Assert.Equal("8", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);
        var unknown = await session.ExecuteAsync("x", "pascal", ++count, outputs.Add);
        Assert.Contains("'pascal' is no language of this kernel; known: csharp, fsharp", unknown.Error!.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task HTML_Markdown_and_Mermaid_parts_are_shown()
    {
        await RunAsync("#!html\n<b>bold</b>\n#!markdown\n**strong**\n#!mermaid\ngraph LR\n  A --> B");
        var shown = outputs.OfType<DisplayOutput>().Select(display => display.Data["text/html"]).ToList();
        Assert.Contains("<b>bold</b>", shown[0], StringComparison.Ordinal);
        Assert.Contains("<strong>strong</strong>", shown[1], StringComparison.Ordinal);
        Assert.Contains("<svg", shown[2], StringComparison.Ordinal);
        Assert.DoesNotContain("<script", shown[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_shared_with_JavaScript_are_escaped_JSON()
    {
        await RunAsync("var rows = new[] { new { Name = \"</script><script>alert(1)\", Value = 1.5 } };");
        await RunAsync("#!javascript\n#!share rows --from csharp\nreturn rows.length;");
        Assert.Equal("<script type=\"text/javascript\">globalThis[\"rows\"] = "
            + "[{\"Name\":\"\\u003C/script\\u003E\\u003Cscript\\u003Ealert(1)\",\"Value\":1.5}];</script>",
            outputs.OfType<DisplayOutput>().First().Data["text/html"]);
        var refused = await session.ExecuteAsync("var t = typeof(int);\n#!javascript\n#!share t --from csharp", ++count,
            outputs.Add);
        Assert.Contains("cannot be JSON", refused.Error!.Message, StringComparison.Ordinal);
    }

    private async Task RunAsync(string code)
    {
        var outcome = await session.ExecuteAsync(code, ++count, outputs.Add);
        Assert.True(outcome.Status == CellStatus.Succeeded, string.Join('\n', outcome.Error?.Traceback ?? []));
    }

    private string Text()
    {
        var text = string.Concat(outputs.OfType<StreamOutput>().Select(stream => stream.Text));
        outputs.Clear();
        return text;
    }
}
