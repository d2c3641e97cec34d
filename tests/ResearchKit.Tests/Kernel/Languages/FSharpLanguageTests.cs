using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Languages.FSharp;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpLanguageTests(FSharpCells cells)
{
    [Fact]
    public async Task Cells_share_their_state_and_may_redefine_it()
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
    public async Task Only_a_last_expression_that_is_not_unit_is_a_value(string code, bool exists) =>
        Assert.Equal(exists, (await cells.RunAsync(code)).Value.Exists);

    [Fact]
    public async Task What_takes_time_is_left_as_a_value()
    {
        Assert.Equal(3, await Assert.IsType<Task<int>>(await cells.ValueAsync("task { return 3 }"), exactMatch: false));
        Assert.Equal("FSharpAsync`1", (await cells.ValueAsync("async { return 3 }"))!.GetType().Name);
    }

    [Fact]
    public async Task The_console_is_heard_and_the_interactive_itself_is_not()
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
    public async Task Values_are_shown(string code)
    {
        var (_, outputs) = await cells.RunAsync($"{code} |> ignore");
        Assert.Equal("5", Assert.IsType<DisplayOutput>(Assert.Single(outputs)).Data["text/plain"]);
    }

    [Fact]
    public async Task What_every_cell_sees_is_that_of_this_process()
    {
        Assert.Same(typeof(TorchSharp.torch), await cells.ValueAsync("typeof<TorchSharp.torch>"));
        Assert.Same(typeof(Microsoft.FSharp.Core.Unit).Assembly, await cells.ValueAsync("typeof<unit>.Assembly"));
        Assert.Equal("<b>", (await cells.ValueAsync("HTML(\"<b>\").ToString()"))!.ToString());
        Assert.Equal(false, await cells.ValueAsync("Cancellation.IsCancellationRequested"));
        Assert.Equal(6, await cells.ValueAsync("[1; 2; 3] |> List.sum |> fun n -> n + Enumerable.Range(0, 1).Sum()"));
    }

    [Fact]
    public async Task The_scripts_of_the_notebooks_folder_are_loaded()
    {
        File.WriteAllText(Path.Combine(cells.Folder, "seven.fsx"), "module Seven\nlet seven = 7\n");
        Assert.Equal(8, await cells.ValueAsync("#load \"seven.fsx\"\nSeven.seven + 1"));
    }

    [Fact]
    public async Task What_ran_before_the_rest_was_refused_does_not_run_twice()
    {
        await cells.RunAsync("let mutable runs = 0");
        await cells.ErrorAsync("runs <- runs + 1\n#time \"off\"\nfor i in 1 .. 3 do\n    printfn \"%d\" \"text\"");
        Assert.Equal(1, await cells.ValueAsync("runs"));
    }

    [Fact]
    public async Task What_ends_an_interactive_does_not_end_the_kernel()
    {
        var error = await cells.ErrorAsync("let a = 1\n#quit");
        Assert.Equal(2, error.Line);
        Assert.Contains("#quit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_language_that_is_not_used_costs_nothing()
    {
        var language = new FSharpLanguage(cells.Folder);
        Assert.Equal(("fsharp", 0), (language.Name, language.Variables.Count));
        Assert.Equal(["f#", "fs"], language.Aliases);
    }
}
