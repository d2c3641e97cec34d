using System.Text.Json.Nodes;
using System.Xml.Linq;
using ResearchKit.Kernel.Commands;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>What one run can be asked besides its parameters.</summary>
public sealed class RunOptionsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    private string Results => folder.PathTo("results");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task With_keep_going_the_cells_after_a_failing_one_run_and_the_run_fails()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("var a = 1;\nthrow new Exception(\"first\");"),
                TestNotebook.Code("throw new Exception(\"second\");"), TestNotebook.Code("a + 1")));
        Assert.Equal(1, await InvokeAsync("run", path, "--output", Results, "--keep-going"));
        Assert.Contains("Cell 1 failed", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Cell 2 failed", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(["failed", "failed", "succeeded"], Record()["cells"]!.AsArray().Select(cell => (string?)cell!["status"]));
        Assert.Equal("failed", (string?)Record()["status"]);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("try { await Task.Delay(-1, Cancellation); } catch (OperationCanceledException) { }")]
    public async Task A_cell_over_its_time_limit_fails_with_a_timeout(string endless)
    {
        var path = Endless(endless);
        Assert.Equal(1, await InvokeAsync("run", path, "--output", Results, "--timeout", "2", "--keep-going"));
        var errors = Executed(Results)["cells"]![1]!["outputs"]!.AsArray();
        Assert.Equal(("Timeout", "The cell ran longer than its limit of 2 s."),
            ((string?)errors.Single()!["ename"], (string?)errors[0]!["evalue"]));
        Assert.Equal("2", (string?)Executed(Results)["cells"]![2]!["outputs"]![0]!["data"]!["text/plain"]![0]);
    }

    [Fact]
    public async Task A_cell_over_its_time_limit_ends_the_run()
    {
        Assert.Equal(1, await InvokeAsync("run", Endless("await Task.Delay(-1);"), "--output", Results, "--timeout", "2"));
        Assert.Equal(2, Record()["cells"]!.AsArray().Count);
    }

    private string Endless(string code) => folder.File("study.ipynb", TestNotebook.Of(
        TestNotebook.Code("var a = 1;"), TestNotebook.Code(code, "raises-exception"), TestNotebook.Code("a + 1")));

    [Fact]
    public async Task An_in_place_run_writes_the_outputs_into_the_notebook_even_if_it_fails()
    {
        var path = folder.File("study.ipynb",
            TestNotebook.Of(TestNotebook.Markdown("# Kept"), TestNotebook.Code("1 + 1"),
            TestNotebook.Code("throw new Exception(\"broken\");")));
        Assert.Equal(1, await InHereAsync("run", path, "--in-place"));
        var cells = Executed(folder.Path)["cells"]!.AsArray();
        Assert.Equal(("# Kept", "2", "broken"),
            ((string?)cells[0]!["source"]![0], (string?)cells[1]!["outputs"]![0]!["data"]!["text/plain"]![0],
            (string?)cells[2]!["outputs"]![0]!["evalue"]));
        Assert.Equal("failed", (string?)Executed(folder.Path)["metadata"]!["researchkit"]!["status"]);
    }

    [Fact]
    public async Task An_in_place_run_of_many_notebooks_writes_into_each()
    {
        var paths = new[] { "study.ipynb", "sub/study.ipynb" }.Select(name =>
            folder.File(name, TestNotebook.Of(TestNotebook.Code("1 + 1")))).ToArray();
        Assert.Equal(0, await InHereAsync(["run", .. paths, "--in-place"]));
        Assert.All(paths, path =>
            Assert.Equal("2", (string?)Executed(Path.GetDirectoryName(path)!)["cells"]![0]!["outputs"]![0]!["data"]!["text/plain"]![0]));
    }

    [Fact]
    public async Task A_notebook_that_was_edited_during_the_run_is_not_overwritten()
    {
        var path = folder.PathTo("study.ipynb");
        folder.File("study.ipynb", TestNotebook.Of(TestNotebook.Code($"File.AppendAllText(@\"{path}\", \"\\n\");")));
        Assert.Equal(0, await InHereAsync("run", path, "--in-place"));
        Assert.EndsWith("\n", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Null(Executed(folder.Path)["metadata"]!["researchkit"]);
        Assert.Contains("was changed while it ran", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_JUnit_report_has_a_case_for_each_code_cell()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Markdown("text"), TestNotebook.Code("\nvar a = 1;"),
                TestNotebook.Code("throw new Exception(\"bad \\u0001 <&>\");"),
            TestNotebook.Code("  "), TestNotebook.Code("a")));
        Assert.Equal(1, await InvokeAsync("run", path, "--output", Results, "--junit", folder.PathTo("junit.xml")));
        var suite = XDocument.Load(folder.PathTo("junit.xml")).Root!.Elements("testsuite").Single();
        var cases = suite.Elements("testcase").ToList();
        Assert.Equal(path, (string?)suite.Attribute("name"));
        Assert.Equal(["cell 1 (cell-1): var a = 1;", "cell 2 (cell-2): throw new Exception(\"bad \\u0001 <&>\");",
            "cell 3 (cell-4): a"], cases.Select(test => (string?)test.Attribute("name")));
        Assert.Contains("bad", (string?)cases[1].Element("failure")!.Attribute("message"), StringComparison.Ordinal);
        Assert.Contains("at cell 2, line 1", cases[1].Element("failure")!.Value, StringComparison.Ordinal);
        Assert.NotNull(cases[2].Element("skipped"));
        Assert.Equal((3, 1, 0, 1),
            ((int)suite.Attribute("tests")!, (int)suite.Attribute("failures")!, (int)suite.Attribute("errors")!,
            (int)suite.Attribute("skipped")!));
    }

    private Task<int> InvokeAsync(params string[] args) => CommandLine.InvokeAsync(args, output, error);

    /// <summary>Without an output folder a run writes to runs/ below the current one, which here is this test's own.</summary>
    private async Task<int> InHereAsync(params string[] args)
    {
        var before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(folder.Path);
        try
        {
            return await InvokeAsync(args);
        }
        finally
        {
            Directory.SetCurrentDirectory(before);
        }
    }

    private static JsonNode Executed(string place) => JsonNode.Parse(File.ReadAllText(Path.Combine(place, "study.ipynb")))!;

    private JsonNode Record() => JsonNode.Parse(File.ReadAllText(Path.Combine(Results, "run.json")))!;
}
