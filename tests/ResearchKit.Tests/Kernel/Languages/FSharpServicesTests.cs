using ResearchKit.Kernel.Languages;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpServicesTests(FSharpCells cells)
{
    [Theory]
    [InlineData("Console.Wri|", "WriteLine", "function")]
    [InlineData("greet|", "greeting", "instance")]
    [InlineData("let here = 1\nprintfn \"%d\" greeting.Len|", "Length", "property")]
    [InlineData("List.ma|", "map", "function")]
    [InlineData("TorchSharp.tor|", "torch", "class")]
    public async Task Completion_offers_what_fits_at_the_cursor(string marked, string offered, string kind)
    {
        await cells.RunAsync("let greeting = \"hello\"");
        var (code, position) = Unmark(marked);
        var found = await cells.Language.Services.CompleteAsync(code, position, CancellationToken.None);
        Assert.Contains(found.Items.Take(5), item => item.Text == offered && item.Kind == kind);
        Assert.StartsWith(code[found.Start..found.End], offered, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("Math.Cla|mp(1, 2, 3)", "Math.Clamp")]
    [InlineData("Thri|ce 2", "Returns three times as much.")]
    [InlineData("List.ma|p id [1]", "mapping")]
    public async Task Inspection_explains_the_name_at_the_cursor(string marked, string told)
    {
        await cells.RunAsync("/// <summary>Returns three times as much.</summary>\nlet Thrice n = 3 * n");
        var (code, position) = Unmark(marked);
        var found = await cells.Language.Services.InspectAsync(code, position, CancellationToken.None);
        Assert.Contains(told, found!.Text, StringComparison.Ordinal);
        Assert.StartsWith("```fsharp", found.Markdown, StringComparison.Ordinal);
        Assert.Null(await cells.Language.Services.InspectAsync("   ", 1, CancellationToken.None));
    }

    [Theory]
    [InlineData("let x = 1", CodeStatus.Complete, "")]
    [InlineData("1 + 1", CodeStatus.Complete, "")]
    [InlineData("let f x =", CodeStatus.Incomplete, "    ")]
    [InlineData("let f x =\n    for i in 1 .. x do", CodeStatus.Incomplete, "        ")]
    [InlineData("printfn (", CodeStatus.Incomplete, "    ")]
    [InlineData("let s = \"open", CodeStatus.Incomplete, "")]
    [InlineData("let = 2\nlet y = 1", CodeStatus.Invalid, "")]
    public void Complete_and_incomplete_code_are_distinguished(string code, CodeStatus status, string indent) =>
        Assert.Equal(new CodeCompleteness(status, indent), cells.Language.Services.IsComplete(code));

    private static (string Code, int Position) Unmark(string marked) =>
        (marked.Replace("|", "", StringComparison.Ordinal), marked.IndexOf('|', StringComparison.Ordinal));
}
