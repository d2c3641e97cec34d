namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpErrorTests(FSharpCells cells)
{
    [Fact]
    public async Task A_compile_error_names_line_and_column_and_shows_the_source()
    {
        var error = await cells.ErrorAsync("\n\nlet fine = 1\nwhile fine = 1 do printfn \"%d\" \"text\"");
        Assert.Equal(("CompilationError", 4), (error.Kind, error.Line));
        Assert.StartsWith("(4,32): error FS0001: The type 'string' is not compatible", error.Message, StringComparison.Ordinal);
        Assert.Equal(["    while fine = 1 do printfn \"%d\" \"text\"", $"    {new string(' ', 31)}^^^^^^"],
            error.Traceback.Skip(1).Take(2));
        Assert.DoesNotContain('\n', string.Concat(error.Traceback));
        Assert.Contains("FS0039", (await cells.ErrorAsync("fine")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_are_sorted_by_line()
    {
        var error = await cells.ErrorAsync("let b = unheard\nlet c = \"a\" + 1");
        Assert.Equal(1, error.Line);
        Assert.True(error.Traceback.Count(line => line.Contains("error FS", StringComparison.Ordinal)) > 1);
    }

    [Fact]
    public async Task The_stack_trace_of_a_runtime_error_names_cells_and_lines()
    {
        await cells.RunAsync("let fail n =\n    for i in 1 .. n do\n        if i > 0 then\n            invalidOp \"no\"\n    n");
        var first = cells.Cell;
        var error = await cells.ErrorAsync("let unkept = 2\n\nfail unkept |> ignore");
        Assert.Equal(("InvalidOperationException", "no", 3), (error.Kind, error.Message, error.Line));
        Assert.Contains($"   at {first}, line 4: invalidOp \"no\"", error.Traceback);
        Assert.Contains($"   at {cells.Cell}, line 3: fail unkept |> ignore", error.Traceback);
        Assert.IsType<InvalidOperationException>(error.InnerException);
        Assert.Contains("FS0039", (await cells.ErrorAsync("unkept")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("failwith \"a\"", "Exception", "a")]
    [InlineData("1 / (List.length []: int) |> ignore", "DivideByZeroException", "Attempted to divide by zero.")]
    [InlineData("(task { failwith \"late\" } : Task<unit>).Wait()", "Exception", "late")]
    [InlineData("TorchSharp.torch.ones([|2L|]).view([|3L|]) |> ignore", "System.Runtime.InteropServices.ExternalException",
        "shape '[3]' is invalid for input of size 2")]
    public async Task The_error_has_the_type_and_message_of_the_thrown_exception(string code, string kind, string message)
    {
        var error = await cells.ErrorAsync($"\n{code}");
        Assert.Equal((kind, message, 2), (error.Kind, error.Message, error.Line));
    }
}
