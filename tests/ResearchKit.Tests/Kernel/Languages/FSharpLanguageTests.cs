using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.FSharp;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpLanguageTests(FSharpCells cells)
{
    [Fact]
    public async Task Cells_share_their_state_and_may_redefine_names()
    {
        await cells.RunAsync("let x = 1\ntype Point = { X: int }\nlet twice n = 2 * n");
        Assert.Equal(4, await cells.ValueAsync("let y = x + 1\nprintf \"\"\ntwice y"));
        await cells.RunAsync("let x = \"text\"\ntype Point = { X: string }");
        Assert.Equal("text text", await cells.ValueAsync("x + \" \" + { X = x }.X"));
    }

    [Theory]
    [InlineData("let a = 1", false)]
    [InlineData("printf \"\"", false)]
    [InlineData("()", false)]
    [InlineData("type Empty = class end", false)]
    [InlineData("// nothing", false)]
    [InlineData("1 + 1", true)]
    [InlineData("let a = 1\na", true)]
    [InlineData("(null: string)", true)]
    [InlineData("1 + 1;;", true)]
    [InlineData("let b = 1;;\nlet c = b + 1;;\n\"a;;b\".Length + c;;", true)]
    [InlineData("let b = 1;; let c = 2;;", false)]
    public async Task A_cell_has_a_value_only_if_its_last_expression_is_not_unit(string code, bool exists) =>
        Assert.Equal(exists, (await cells.RunAsync(code)).Value.Exists);

    [Fact]
    public async Task Tasks_and_asyncs_are_returned_without_being_awaited()
    {
        Assert.Equal(3, await Assert.IsType<Task<int>>(await cells.ValueAsync("task { return 3 }"), exactMatch: false));
        Assert.Equal("FSharpAsync`1", (await cells.ValueAsync("async { return 3 }"))!.GetType().Name);
    }

    [Fact]
    public async Task Console_output_is_captured_and_messages_of_F_Sharp_Interactive_are_not()
    {
        Assert.Equal("hello 5\n", await cells.TextAsync("let heard = 5\nprintfn \"hello %d\" heard\nheard"));
        var (_, outputs) = await cells.RunAsync("eprintf \"bad\"\nlet missing (Some x) = x");
        Assert.Equal(new StreamOutput("stderr", "bad"), Assert.Single(outputs));
    }

    [Theory]
    [InlineData("display 5")]
    [InlineData("display(5)")]
    [InlineData("5 |> display")]
    [InlineData("(5).Display()")]
    [InlineData("display(5, \"text/plain\")")]
    public async Task Every_form_of_display_shows_its_value(string code)
    {
        var (_, outputs) = await cells.RunAsync($"{code} |> ignore");
        Assert.Equal("5", Assert.IsType<DisplayOutput>(Assert.Single(outputs)).Data["text/plain"]);
    }

    [Fact]
    public async Task Cells_see_the_types_of_this_process_and_the_default_imports()
    {
        Assert.Same(typeof(TorchSharp.torch), await cells.ValueAsync("typeof<TorchSharp.torch>"));
        Assert.Same(typeof(Microsoft.FSharp.Core.Unit).Assembly, await cells.ValueAsync("typeof<unit>.Assembly"));
        Assert.Equal("<b>", (await cells.ValueAsync("HTML(\"<b>\").ToString()"))!.ToString());
        Assert.Equal(false, await cells.ValueAsync("Cancellation.IsCancellationRequested"));
        Assert.Equal(6, await cells.ValueAsync("[1; 2; 3] |> List.sum |> fun n -> n + Enumerable.Range(0, 1).Sum()"));
    }

    [Fact]
    public async Task Load_finds_scripts_in_the_folder_of_the_notebook()
    {
        File.WriteAllText(Path.Combine(cells.Folder, "seven.fsx"), "module Seven\nlet seven = 7\n");
        Assert.Equal(8, await cells.ValueAsync("#load \"seven.fsx\"\nSeven.seven + 1"));
    }

    [Fact]
    public async Task Code_before_a_compile_error_runs_only_once()
    {
        await cells.RunAsync("let mutable runs = 0");
        await cells.ErrorAsync("runs <- runs + 1\n#time \"off\"\nfor i in 1 .. 3 do\n    printfn \"%d\" \"text\"");
        Assert.Equal(1, await cells.ValueAsync("runs"));
    }

    [Fact]
    public async Task Quit_is_an_error_and_does_not_end_the_kernel()
    {
        var error = await cells.ErrorAsync("let a = 1\n#quit");
        Assert.Equal(2, error.Line);
        Assert.Contains("#quit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unused_language_has_its_names_and_no_variables()
    {
        var language = new FSharpLanguage(cells.Folder);
        Assert.Equal(("fsharp", 0), (language.Name, language.Variables.Count));
        Assert.Equal(["f#", "fs"], language.Aliases);
    }
}
