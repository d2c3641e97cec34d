using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Languages;

public sealed class CSharpServicesTests : IDisposable
{
    private readonly Session session = new(Path.GetTempPath());

    public void Dispose() => session.Dispose();

    [Theory]
    [InlineData("Console.Wri|", "WriteLine", "function")]
    [InlineData("greet|", "greeting", "property")]
    [InlineData("greeting.Len|", "Length", "property")]
    [InlineData("new Po|", "Point", "class")]
    [InlineData("foreac|", "foreach", "keyword")]
    [InlineData("var later = 1; lat|", "later", "property")]
    [InlineData("disp|", "display", "function")]
    public async Task Completion_offers_what_fits_at_the_cursor(string marked, string offered, string kind)
    {
        await session.ExecuteAsync("var greeting = \"hello\";", 1, _ => { });
        await session.ExecuteAsync("record Point(int X);", 2, _ => { });
        var (code, position) = Unmark(marked);
        var found = await session.CodeServices.CompleteAsync(code, position, CancellationToken.None);
        Assert.Contains(found.Items.Take(5), item => item.Text == offered && item.Kind == kind);
        Assert.True(code[found.Start..found.End].Length > 0
            && offered.StartsWith(code[found.Start..found.End], StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("Math.Cla|mp(1, 2, 3)", "Math.Clamp(")]
    [InlineData("Math.Clamp(1, |", "Math.Clamp(")]
    [InlineData("Twi|ce(2)", "Returns twice")]
    [InlineData("TorchSharp.torch.mat|mul(null, null)", "matmul")]
    public async Task Inspection_explains_the_name_at_the_cursor(string marked, string told)
    {
        await session.ExecuteAsync("/// <summary>Returns twice as much.</summary>\nint Twice(int n) => 2 * n;", 1, _ => { });
        var (code, position) = Unmark(marked);
        var found = await session.CodeServices.InspectAsync(code, position, CancellationToken.None);
        Assert.Contains(told, found!.Text, StringComparison.Ordinal);
        Assert.Contains("```csharp", found.Markdown, StringComparison.Ordinal);
        Assert.Null(await session.CodeServices.InspectAsync("   ", 1, CancellationToken.None));
    }

    [Theory]
    [InlineData("var x = 1;", CodeStatus.Complete, "")]
    [InlineData("1 + 1", CodeStatus.Complete, "")]
    [InlineData("for (var i = 0; i < 3; i++) {", CodeStatus.Incomplete, "    ")]
    [InlineData("class A { void M() {", CodeStatus.Incomplete, "        ")]
    [InlineData("Console.WriteLine(", CodeStatus.Incomplete, "")]
    [InlineData("var s = @\"open", CodeStatus.Incomplete, "")]
    [InlineData("var 1x = 2;", CodeStatus.Invalid, "")]
    public void Complete_and_incomplete_code_are_distinguished(string code, CodeStatus status, string indent) =>
        Assert.Equal(new CodeCompleteness(status, indent), session.CodeServices.IsComplete(code));

    private static (string Code, int Position) Unmark(string marked) =>
        (marked.Replace("|", "", StringComparison.Ordinal), marked.IndexOf('|', StringComparison.Ordinal));
}
