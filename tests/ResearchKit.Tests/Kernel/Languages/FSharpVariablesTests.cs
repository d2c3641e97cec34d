using ResearchKit.Kernel.Languages;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpVariablesTests(FSharpCells cells)
{
    [Fact]
    public async Task The_latest_declaration_of_each_name_is_listed_with_its_current_value()
    {
        await cells.RunAsync("let looked = \"old\"\nlet mutable counted = 1");
        await cells.RunAsync("let looked = [| 1; 2 |]\ncounted <- 2\n5");
        Assert.Equal(new Variable("counted", typeof(int), 2),
            Assert.Single(cells.Language.Variables, variable => variable.Name == "counted"));
        var looked = Assert.Single(cells.Language.Variables, variable => variable.Name == "looked");
        Assert.Equal((typeof(int[]), 2), (looked.Type, ((int[])looked.Value!).Length));
        Assert.DoesNotContain(cells.Language.Variables, variable => variable.Name == "it");
    }

    public static TheoryData<object?, string, object> Shared => new()
    {
        { 5, "given + 1", 6 },
        { new List<string> { "a" }, "given.[0] + \"b\"", "ab" },
        { new Dictionary<string, int[]> { ["a"] = [7] }, "given.[\"a\"].[0]", 7 },
        { null, "isNull given", true },
        { (3, "c"), "let struct (n, s) = given in s + string n", "c3" },
        { new Dictionary<string, int> { ["k"] = 2 }.GetEnumerator(), "given.GetType().Name", "Enumerator" },
        { Microsoft.FSharp.Core.FSharpOption<int>.Some(4), "given |> Option.get", 4 },
        { Microsoft.FSharp.Collections.ListModule.OfSeq([1, 2]), "List.sum given", 3 },
        { (Func<int, int>)(n => n + 1), "given.Invoke 1", 2 },
        { new int[2, 3], "given.[1, 2] + Array2D.length2 given", 3 },
        { new[] { 1, 2, 3 }.Where(n => n > 1), "given |> Seq.length", 2 },
        { new Hidden(), "given.Message", "from the base" },
        { DateTime.UnixEpoch, "given.Year", 1970 },
    };

    [Theory]
    [MemberData(nameof(Shared))]
    public async Task A_shared_value_keeps_its_type(object? value, string code, object expected)
    {
        await cells.Language.SetAsync("given", value, CancellationToken.None);
        Assert.Equal(expected, await cells.ValueAsync(code));
        Assert.Equal(value, Assert.Single(cells.Language.Variables, variable => variable.Name == "given").Value);
    }

    [Fact]
    public async Task A_value_of_a_type_declared_in_a_cell_can_be_set_again()
    {
        var made = await cells.ValueAsync("type Made = { Size: int }\n{ Size = 3 }");
        await cells.Language.SetAsync("again", made, CancellationToken.None);
        Assert.Equal(3, await cells.ValueAsync("again.Size"));
    }

    [Theory]
    [InlineData("1x")]
    [InlineData("let")]
    [InlineData("a b")]
    [InlineData("")]
    public async Task An_invalid_variable_name_is_refused(string name)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => cells.Language.SetAsync(name, 1, CancellationToken.None));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
    }

    private sealed class Hidden() : InvalidOperationException("from the base");
}
