using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Sessions;

public sealed class MagicTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Session session;
    private readonly List<Output> outputs = [];
    private int count;

    public MagicTests() => session = new(folder.Path);

    public void Dispose()
    {
        session.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task Variables_are_listed_with_types_and_values()
    {
        await RunAsync("var number = 3; var words = new List<string> { \"a\" }; record Point(int X); var point = new "
            + "Point(1); int? none = null;");
        await RunAsync("var number = 4.5;\n#!who");
        Assert.Equal("none\tnumber\tpoint\twords\n", Text());
        await RunAsync("#!whos");
        var table = outputs.OfType<DisplayOutput>().Last().Data;
        Assert.Contains("List&lt;string&gt;", table["text/html"], StringComparison.Ordinal);
        Assert.Contains("4.5", table["text/plain"], StringComparison.Ordinal);
        Assert.Matches(@"(?m)^point +Point +.*X.*1", table["text/plain"]);
    }

    [Fact]
    public async Task The_wall_time_is_shown_after_all_other_output()
    {
        await RunAsync("#!time\nThread.Sleep(20);\n1 + 1");
        Assert.IsType<ResultOutput>(outputs[^2]);
        Assert.Matches(@"^Wall time: [2-9]\d[\d.]*ms|^Wall time: \d{3,}[\d.]*ms",
            Assert.IsType<DisplayOutput>(outputs[^1]).Data["text/plain"]);
        await RunAsync("#!time\nthrow new Exception();", mayFail: true);
        Assert.StartsWith("Wall time", outputs.OfType<DisplayOutput>().Last().Data["text/plain"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_is_set_from_text_input_or_another_variable()
    {
        await RunAsync("#!set --name words --value \"one two\"\nConsole.Write(words.Length);");
        Assert.Equal("7", Text());
        session.Input = (prompt, secret) => $"{prompt}|{secret}";
        await RunAsync("#!set --name answer --value @input:\"your name\"\n#!set --name secret --value "
            + "@password:\"word\"\nConsole.Write($\"{answer} {secret}\");");
        Assert.Equal("your name|False word|True", Text());
        await RunAsync("var list = new List<(int, string)> { (1, \"a\") };");
        await RunAsync("#!set --name copy --value @csharp:list\n#!share list --from csharp --as "
            + "other\nConsole.Write(copy[0].Item2 + other.Count + (copy == list));");
        Assert.Equal("a1True", Text());
        await RunAsync("record Point(int X); class Generic<T> { public T Value; } var point = new Point(4); var hidden = new "
            + "{ A = 5 }; var wrapped = new Generic<int[,]> { Value = new int[1, 2] };");
        await RunAsync("#!share --from csharp point --as p\n#!share --from csharp hidden --as h\n#!share --from csharp "
            + "wrapped --as w\nConsole.Write($\"{p.X} {h.A} {w.Value.Length}\");");
        Assert.Equal("4 5 2", Text());
    }

    [Fact]
    public async Task Value_cells_keep_text_that_other_languages_can_share()
    {
        folder.File("data.txt", "from a file");
        await RunAsync("#!value --name json --mime-type application/json\n{ \"a\": [1,\n 2] }");
        Assert.Equal("{ \"a\": [1,\n 2] }", outputs.OfType<DisplayOutput>().Single().Data["application/json"]);
        await RunAsync("#!value --from-file data.txt --name file");
        await RunAsync("#!share json --from value\n#!share file --from value\nConsole.Write(json.Length + file);");
        Assert.Equal("16from a file", Text());
        Assert.Contains("Expected --name", (await RunAsync("#!value\nx", mayFail: true)).Error!.Message,
            StringComparison.Ordinal);
        Assert.Contains("'ftp://x' is no address",
            (await RunAsync("#!value --name x --from-url ftp://x", mayFail: true)).Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("var a = 1;\n#!nothing", "(2,1): #!nothing: there is no such command here; #!lsmagic lists them.")]
    [InlineData("#!share", "#!share: Option '--from' is required. #!share -h tells what it takes.")]
    [InlineData("#!share x --from pascal", "'pascal' is no language of this kernel; known: csharp")]
    [InlineData("#!share nothing --from csharp", "There is no variable 'nothing'; there are none.")]
    [InlineData("#!set --name 1x --value 3", "'1x' is not a C# name.")]
    [InlineData("#!import missing.ipynb", "there is no file")]
    public async Task Invalid_commands_are_errors_with_their_line(string code, string message)
    {
        var outcome = await RunAsync(code, mayFail: true);
        Assert.Contains(message, outcome.Error!.Message, StringComparison.Ordinal);
        Assert.NotNull(outcome.Error.Line);
    }

    [Fact]
    public async Task Help_and_the_list_of_commands_are_shown()
    {
        await RunAsync("#!share -h");
        Assert.Contains("#!share <name>", Text(), StringComparison.Ordinal);
        await RunAsync("#!lsmagic");
        Assert.Contains("#!whos", outputs.OfType<DisplayOutput>().Last().Data["text/plain"], StringComparison.Ordinal);
        await RunAsync("#!about");
        Assert.Contains("ResearchKit", outputs.OfType<DisplayOutput>().Last().Data["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Notebooks_and_code_files_are_imported()
    {
        folder.File("part.ipynb",
            TestNotebook.Of(TestNotebook.Markdown("# no"), TestNotebook.Code("var fromNotebook = 1;"),
            TestNotebook.Code("int Twice(int n) => 2 * n;")));
        folder.File("part.dib",
            "#!meta\n\n{\"kernelInfo\":{}}\n\n#!markdown\n\n# no\n\n#!csharp\n\nvar fromDib = Twice(fromNotebook);\n");
        folder.File("part.cs", "var fromCode = fromDib + 1;");
        folder.File("part.csx", "int Loaded() { while (true) return fromCode + 1; }");
        folder.File("circle.cs", "#!import circle.cs");
        await RunAsync("#!import part.ipynb\n#!import \"part.dib\"\n#!import part.cs\n");
        await RunAsync("#load \"part.csx\"\nConsole.Write($\"{fromNotebook}{fromDib}{fromCode}{Loaded()}\");");
        Assert.Equal("1234", Text());
        Assert.Contains("imported within itself", (await RunAsync("#!import circle.cs", mayFail: true)).Error!.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_in_a_loaded_file_can_be_interrupted()
    {
        folder.File("loop.csx", "void Loop() { while (true) { } }");
        using var interrupt = new CancellationTokenSource();
        var outcome = await session.ExecuteAsync("#load \"loop.csx\"\nConsole.Write(\"begun\");\nLoop();", 1, Hear,
            interrupt.Token);
        Assert.Equal(CellStatus.Interrupted, outcome.Status);
        Assert.DoesNotContain("unheard", outcome.Error!.Message, StringComparison.Ordinal);

        void Hear(Output output)
        {
            if (output is StreamOutput { Text: "begun" }) interrupt.CancelAfter(50);   // in the loop by then
        }
    }

    [Fact]
    public async Task Names_of_the_NET_Interactive_API_are_supported()
    {
        await RunAsync("""
            using Microsoft.DotNet.Interactive;
            using static Microsoft.DotNet.Interactive.Formatting.PocketViewTags;
            PocketView view = div(b("bold"), i("<escaped>"));
            display(view);
            Javascript("let a = 1;");
            CSS("b { color: red }");
            Kernel.HTML("<hr/>").Display();
            """);
        var shown = outputs.OfType<DisplayOutput>().Select(display => display.Data["text/html"]).ToList();
        Assert.Equal("<div><b>bold</b><i>&lt;escaped&gt;</i></div>", shown[0]);
        Assert.Equal("<script type=\"text/javascript\">let a = 1;</script>", shown[1]);
        Assert.Equal("<style>b { color: red }</style>", shown[2]);
        session.Input = (prompt, secret) => $"{prompt}{secret}";
        await RunAsync("Console.Write(await GetInputAsync(\"a\") + await Kernel.GetPasswordAsync(\"b\"));");
        Assert.Equal("aFalsebTrue", Text());
    }

    [Fact]
    public async Task A_formatter_attribute_is_recognized_by_its_name()
    {
        await RunAsync("""
            class TypeFormatterSourceAttribute : Attribute
            {
                public TypeFormatterSourceAttribute(Type type) => FormatterSourceType = type;
                public Type FormatterSourceType { get; }
                public string[] PreferredMimeTypes { get; set; }
            }
            class OddFormatterSource
            {
                public IEnumerable<object> CreateTypeFormatters() { yield return new OddFormatter(); }
            }
            class OddFormatter
            {
                public string MimeType => "text/html";
                public bool Format(object instance, System.IO.TextWriter writer) { writer.Write("<u>odd</u>"); return true; }
            }
            [TypeFormatterSource(typeof(OddFormatterSource), PreferredMimeTypes = new[] { "text/html" })]
            class Odd { }
            new Odd().Display();
            """);
        Assert.Equal("<u>odd</u>", outputs.OfType<DisplayOutput>().Single().Data["text/html"]);
    }

    [Fact]
    public async Task Completion_uses_the_language_at_the_cursor()
    {
        await RunAsync("var greeting = \"a\";");
        var names = await session.CodeServices.CompleteAsync("#!who", 4, CancellationToken.None);
        Assert.Equal(["#!who", "#!whos"], names.Items.Select(item => item.Text));
        Assert.Equal((0, 5), (names.Start, names.End));
        const string code = "#!time\ngreeting.Len\n#!who";
        var found = await session.CodeServices.CompleteAsync(code, 19, CancellationToken.None);
        Assert.Equal("Length", found.Items[0].Text);
        Assert.Equal("Len", code[found.Start..found.End]);
    }

    private async Task<CellOutcome> RunAsync(string code, bool mayFail = false)
    {
        var outcome = await session.ExecuteAsync(code, ++count, outputs.Add);
        if (!mayFail) Assert.True(outcome.Status == CellStatus.Succeeded, string.Join('\n', outcome.Error?.Traceback ?? []));
        return outcome;
    }

    private string Text()
    {
        var text = string.Concat(outputs.OfType<StreamOutput>().Select(stream => stream.Text));
        outputs.Clear();
        return text;
    }
}
