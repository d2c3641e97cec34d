using ResearchKit.Kernel.Cells;

namespace ResearchKit.Tests.Kernel.Languages;

/// <summary>F# values look as F# prints them.</summary>
public sealed class FSharpDisplayTests(FSharpCells cells) : IClassFixture<FSharpCells>
{
    [Theory]
    [InlineData("[ 1.0; 2.0 ]", "[1.0; 2.0]")]
    [InlineData("Some 3", "Some 3")]
    [InlineData("let nothing : int option = None\nnothing", "None")]
    [InlineData("type Shape = Circle of float | Square of w: float * h: float\n[ Circle 1.0; Square (2.0, 3.0) ]",
        "[Circle 1.0; Square (2.0, 3.0)]")]
    [InlineData("type Person = { Name: string; Age: int }\n{ Name = \"<A>\"; Age = 3 }", "{ Name = \"<A>\"\n  Age = 3 }")]
    [InlineData("Map [ 1, \"a\" ]", "map [(1, \"a\")]")]
    [InlineData("set [ 3; 1 ]", "set [1; 3]")]
    [InlineData("(Error \"no\" : Result<int, string>)", "Error \"no\"")]
    public async Task A_value_is_printed_in_text_and_html(string code, string expected)
    {
        var (value, _) = await cells.RunAsync(code);
        var data = Formatted.Of(value.Value, []).Data;
        Assert.Equal(expected, data["text/plain"]);
        Assert.Contains($"<pre>{Escape.Html(expected)}</pre>", data["text/html"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_FSharp_value_inside_another_value_is_printed_too()
    {
        var (value, _) = await cells.RunAsync("[ Some 1; None ]");
        Assert.Contains("[Some 1; None]", Formatted.Of(new { Inner = value.Value }, []).Data["text/plain"],
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("let rec down n = 1 + down (n + 1)\ndown 0")]
    [InlineData("type T() =\n    member this.Down(n) : int = 1 + this.Down(n + 1)\nT().Down 0")]
    public async Task A_recursion_without_end_is_an_error(string code)
    {
        var failure = await Assert.ThrowsAsync<CellException>(() => cells.RunAsync(code));
        Assert.Equal("InsufficientExecutionStackException", failure.Kind);
    }
}
