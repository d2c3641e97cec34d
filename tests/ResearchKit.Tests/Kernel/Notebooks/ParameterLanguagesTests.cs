using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Parameters;

namespace ResearchKit.Tests.Kernel.Notebooks;

/// <summary>Parameters of all types that a value can be typed for, in the languages of cells.</summary>
public sealed class ParameterLanguagesTests
{
    private const string CSharp = """
        enum Mode { Train, Test }
        int? maybe = null; double[] rates = [0.1]; char letter = 'a'; byte small = 1; ulong large = 1;
        List<string> names = []; int[][] grid = []; (int, double) pair = (1, 2); Dictionary<string, int> sizes = new();
        DateTime day = default; Guid id = default; TimeSpan time = default; Mode[] modes = []; Mode? mode = null; object any = null;
        string? text = null;
        """;

    private const string FSharp = """
        #!fsharp
        let steps = 1
        let mutable rate = 1e-3 // a comment
        let name = "a"
        let flag = true
        let sizes = [1; 2]
        let rates = [| 0.1 |]
        let limit : int option = None
        let many = 5L
        """;

    private const string Python = """
        #!python
        steps = 1
        rate: float = 0.1  # a comment
        name = 'a'
        flag = True
        sizes = [1, 2]
        more = {"a": 1}
        nothing = None
        """;

    [Theory]
    [InlineData("maybe", "null", "int? maybe = null;")]
    [InlineData("maybe", "3", "int? maybe = 3;")]
    [InlineData("rates", "[1, 2.5]", "double[] rates = [1d, 2.5d];")]
    [InlineData("rates", "[]", "double[] rates = [];")]
    [InlineData("rates", "null", "double[] rates = null;")]
    [InlineData("letter", "z", "char letter = 'z';")]
    [InlineData("letter", "'", "char letter = '\\'';")]
    [InlineData("small", "255", "byte small = 255;")]
    [InlineData("large", "18446744073709551615", "ulong large = 18446744073709551615;")]
    [InlineData("names", "[\"a\\\"b\", \"c\"]", "List<string> names = [\"a\\\"b\", \"c\"];")]
    [InlineData("grid", "[[1, 2], []]", "int[][] grid = [[1, 2], []];")]
    [InlineData("pair", "[3, 4]", "(int, double) pair = (3, 4d);")]
    [InlineData("sizes", "{\"a\": 1}", "Dictionary<string, int> sizes = new Dictionary<string, int> { [\"a\"] = 1 };")]
    [InlineData("id", "11112222-3333-4444-5555-666677778888", "Guid id = Guid.Parse(\"11112222-3333-4444-5555-666677778888\");")]
    [InlineData("modes", "[\"Test\", \"train\"]", "Mode[] modes = [Mode.Test, Mode.Train];")]
    [InlineData("mode", "Test", "Mode? mode = Mode.Test;")]
    [InlineData("any", "[x", "object any = \"[x\";")]
    [InlineData("text", "null", "string? text = null;")]
    public void A_value_is_declared_in_CSharp(string name, string value, string line) =>
        Assert.Equal($"// Parameters\n{line}", Injected(CSharp, name, value));

    [Theory]
    [InlineData("day", "2024-01-02T03:04:05")]
    [InlineData("time", "00:01:30")]
    public void Dates_and_times_are_parsed(string name, string value) =>
        Assert.Contains($".Parse(\"{value}\", System.Globalization.CultureInfo.InvariantCulture", Injected(CSharp, name, value),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("steps", "4", "let steps : int = 4")]
    [InlineData("rate", "4", "let rate : float = 4.0")]
    [InlineData("name", "x\"y", "let name : string = \"x\\\"y\"")]
    [InlineData("flag", "False", "let flag : bool = false")]
    [InlineData("sizes", "[3,4]", "let sizes : int list = [3; 4]")]
    [InlineData("rates", "[3]", "let rates : float[] = [|3.0|]")]
    [InlineData("limit", "5", "let limit : int option = Some (5)")]
    [InlineData("limit", "null", "let limit : int option = None")]
    [InlineData("many", "6", "let many : int64 = 6L")]
    public void A_value_is_declared_in_FSharp(string name, string value, string line) =>
        Assert.Equal($"#!fsharp\n// Parameters\n{line}", Injected(FSharp, name, value));

    [Theory]
    [InlineData("steps", "4", "steps = 4")]
    [InlineData("steps", "null", "steps = None")]
    [InlineData("rate", "nan", "rate = float(\"nan\")")]
    [InlineData("name", "12", "name = \"12\"")]
    [InlineData("name", "a\"b😀", "name = \"a\\\"b😀\"")]
    [InlineData("flag", "false", "flag = False")]
    [InlineData("sizes", "[1, null, \"x\", true]", "sizes = [1, None, \"x\", True]")]
    [InlineData("more", "{\"b\": [1.5]}", "more = {\"b\": [1.5]}")]
    [InlineData("nothing", "some words", "nothing = \"some words\"")]
    public void A_value_is_assigned_in_Python(string name, string value, string line) =>
        Assert.Equal($"#!python\n# Parameters\n{line}", Injected(Python, name, value).Replace("\\uD83D\\uDE00", "😀",
            StringComparison.OrdinalIgnoreCase));

    [Theory]
    [InlineData(CSharp, "maybe", "x", "maybe is an int?; 'x' is not one.")]
    [InlineData(CSharp, "rates", "[\"x\"]", "rates is a double[]; '[\"x\"]' is not one.")]
    [InlineData(CSharp, "letter", "zz", "letter is a char; 'zz' is not one.")]
    [InlineData(CSharp, "small", "256", "small is a byte; '256' is not one.")]
    [InlineData(CSharp, "day", "soon", "day is a DateTime; 'soon' is not one.")]
    [InlineData(CSharp, "modes", "[\"x\"]", "modes is a Mode[]; '[\"x\"]' is not one. Known: Train, Test.")]
    [InlineData(FSharp, "steps", "1.5", "steps is an int; '1.5' is not one.")]
    [InlineData(Python, "steps", "abc", "steps is an int; 'abc' is not one.")]
    [InlineData(Python, "sizes", "{}", "sizes is a list; '{}' is not one.")]
    [InlineData(Python, "stepz", "1",
        "The notebook has no parameter 'stepz'. It has: steps (int), rate (float), name (str), flag (bool), "
        + "sizes (list), more (dict), nothing (object).")]
    public void A_wrong_value_is_refused_with_its_type(string source, string name, string value, string message) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(() => Injected(source, name, value)).Message);

    private static string Injected(string source, string name, string value)
    {
        var notebook = NotebookDocument.Parse(
            TestNotebook.Of(TestNotebook.Code(source, ParametersCell.Tag), TestNotebook.Code("1")), "study.ipynb");
        ParametersCell.Inject(notebook, new Dictionary<string, string> { [name] = value });
        return notebook.Cells[1].Source;
    }
}
