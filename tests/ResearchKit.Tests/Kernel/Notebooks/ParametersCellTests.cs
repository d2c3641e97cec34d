using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Parameters;

namespace ResearchKit.Tests.Kernel.Notebooks;

public sealed class ParametersCellTests
{
    private const string Declarations = """
        enum Precision { Single, Half }
        const int steps = 800; // comment
        readonly double rate = 1e-3;
        var name = "a"; var many = 5L; float half = .5f; decimal money = 1m; bool fast = false;
        var precision = Precision.Single;
        """;

    [Theory]
    [InlineData("steps", "100", "int steps = 100;")]
    [InlineData("steps", "-1", "int steps = -1;")]
    [InlineData("rate", "0.001", "double rate = 0.001d;")]
    [InlineData("rate", "NaN", "double rate = double.NaN;")]
    [InlineData("name", "x\"; Delete();//", "string name = \"x\\\"; Delete();//\";")]
    [InlineData("many", "12", "long many = 12L;")]
    [InlineData("half", "0.25", "float half = 0.25f;")]
    [InlineData("money", "1.50", "decimal money = 1.50m;")]
    [InlineData("fast", "True", "bool fast = true;")]
    [InlineData("precision", "Half", "Precision precision = Precision.Half;")]
    public void A_parameter_is_redeclared_with_its_type(string name, string value, string declaration)
    {
        var notebook = Notebook();
        ParametersCell.Inject(notebook, new Dictionary<string, string> { [name] = value });
        Assert.Equal($"// Parameters\n{declaration}", notebook.Cells[1].Source);
        Assert.Contains(ParametersCell.InjectedTag, notebook.Cells[1].Tags);
        Assert.Equal(3, notebook.Cells.Count);
    }

    [Theory]
    [InlineData("steps", "abc", "steps is an int; 'abc' is not one.")]
    [InlineData("steps", "1.5", "steps is an int; '1.5' is not one.")]
    [InlineData("rate", "0,5", "rate is a double; '0,5' is not one.")]
    [InlineData("fast", "yes", "fast is a bool; 'yes' is not one.")]
    [InlineData("precision", "Double", "precision is a Precision; 'Double' is not one. Known: Single, Half.")]
    [InlineData("stepz", "1",
        "The notebook has no parameter 'stepz'. It has: steps (int), rate (double), name (string), many (long), half (float), money (decimal), fast (bool), precision (Precision).")]
    public void An_invalid_value_or_name_is_refused(string name, string value, string message)
    {
        var notebook = Notebook();
        var before = notebook.ToJson();
        Assert.Equal(message,
            Assert.Throws<ArgumentException>(() =>
            ParametersCell.Inject(notebook, new Dictionary<string, string> { [name] = value })).Message);
        Assert.Equal(before, notebook.ToJson());
    }

    [Fact]
    public void An_earlier_injected_cell_is_replaced()
    {
        var notebook = Notebook();
        ParametersCell.Inject(notebook, new Dictionary<string, string> { ["steps"] = "1" });
        ParametersCell.Inject(notebook, new Dictionary<string, string> { ["steps"] = "2" });
        Assert.Equal("// Parameters\nint steps = 2;",
            Assert.Single(notebook.Cells, cell => cell.Tags.Contains(ParametersCell.InjectedTag)).Source);
    }

    [Fact]
    public void A_notebook_without_a_parameters_cell_is_refused()
    {
        var notebook = NotebookDocument.Parse(TestNotebook.Of(TestNotebook.Code("1")), "x");
        Assert.Contains("no code cell is tagged 'parameters'",
            Assert.Throws<ArgumentException>(() =>
                ParametersCell.Inject(notebook, new Dictionary<string, string> { ["a"] = "1" })).Message,
                StringComparison.Ordinal);
    }

    private static NotebookDocument Notebook() => NotebookDocument.Parse(
        TestNotebook.Of(TestNotebook.Code(Declarations, ParametersCell.Tag), TestNotebook.Code("steps")), "study.ipynb");
}
