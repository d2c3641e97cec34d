using System.Text.Json.Nodes;
using System.Xml.Linq;
using ResearchKit.Kernel.Commands;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>Many notebooks at once, each in a process of its own.</summary>
public sealed class RunManyTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    private string Results => folder.PathTo("results");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task All_notebooks_of_a_folder_run_even_if_one_fails_or_crashes()
    {
        folder.File("all/b.ipynb",
            TestNotebook.Of(TestNotebook.Code("1"), TestNotebook.Code("throw new Exception(\"broken\");"),
            TestNotebook.Code("3")));
        folder.File("all/c.ipynb", TestNotebook.Of(TestNotebook.Code("Environment.FailFast(\"gone\");"), TestNotebook.Code("2")));
        folder.File("all/deep/a.ipynb",
            TestNotebook.Of(TestNotebook.Code("Environment.SetEnvironmentVariable(\"OF_A\", \"1\");\nvar steps = 1;",
            "parameters"), TestNotebook.Code("steps")));
        folder.File("all/deep/b.ipynb",
            TestNotebook.Of(TestNotebook.Code("Environment.GetEnvironmentVariable(\"OF_A\") ?? \"a process of its own\"")));
        folder.File("all/runs/old.ipynb", "not even a notebook");
        folder.File("all/.hidden/a.ipynb", "not even a notebook");
        folder.File("all/.ipynb_checkpoints/a-checkpoint.ipynb", "not even a notebook");
        var junit = folder.PathTo("reports/junit.xml");

        Assert.Equal(1, await InvokeAsync("run", folder.PathTo("all"), "--jobs", "2", "--output", Results, "--junit", junit));
        Assert.Equal("a process of its own", Shown("deep/b/b.ipynb", cell: 0));
        Assert.Equal("1", Shown("deep/a/a.ipynb", cell: 1));
        var table = output.ToString().ReplaceLineEndings("\n").Split("\n\n")[1].Split('\n');
        Assert.Matches(@"^notebook +status +cells +seconds +failing cell$", table[0]);
        Assert.Matches(@"b\.ipynb +failed +2 of 3 +\d+\.\d +cell 2: Exception$", table[1]);
        Assert.Matches(@"c\.ipynb +crashed +1 of 2 +\d+\.\d +cell 1: Crashed$", table[2]);
        Assert.Matches(@"deep.a\.ipynb +succeeded +2 of 2 +\d+\.\d$", table[3]);
        Assert.Matches(@"deep.b\.ipynb +succeeded +1 of 1 +\d+\.\d$", table[4]);
        Assert.Contains("Exception: broken", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("gone", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("Cell 1 failed: Crashed", error.ToString(), StringComparison.Ordinal);
        var crashed = JsonNode.Parse(File.ReadAllText(Path.Combine(Results, "c", "c.ipynb")))!["cells"]![0]!["outputs"]![0]!;
        Assert.Equal(("error", "Crashed"), ((string?)crashed["output_type"], (string?)crashed["ename"]));
        Assert.Contains("gone", crashed["traceback"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("gone", File.ReadAllText(Path.Combine(Results, "c", "c.html")), StringComparison.Ordinal);

        var suites = XDocument.Load(junit).Root!.Elements("testsuite").ToList();
        Assert.Equal(["3 1 0 1", "2 0 1 1", "2 0 0 0", "1 0 0 0"],
            suites.Select(suite =>
                string.Join(' ', new[] { "tests", "failures", "errors", "skipped" }.Select(name =>
                (string?)suite.Attribute(name)))));
        Assert.Contains("gone", suites[1].Elements("testcase").First().Element("error")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupt_stops_the_processes_and_their_outputs_are_saved()
    {
        var waiting = TestNotebook.Of(TestNotebook.Code("Console.WriteLine(\"one\");"),
            TestNotebook.Code("await Task.Delay(-1);"));
        var paths = new[] { "a.ipynb", "b.ipynb", "c.ipynb" }.Select(name => folder.File(name, waiting)).ToArray();
        using var interrupt = new CancellationTokenSource();
        var run = CommandLine.InvokeAsync(["run", .. paths, "--jobs", "2", "--output", Results, "--in-place"], output, error,
            interrupt.Token);
        Assert.Equal(2, await run);   // the two exclude each other
        run = CommandLine.InvokeAsync(["run", .. paths, "--jobs", "2", "--output", Results], output, error, interrupt.Token);
        await UntilAsync(() => new[] { "a", "b" }.All(name => Record(name)?["cells"]!.AsArray().Count == 1));
        await interrupt.CancelAsync();
        Assert.Equal(130, await run.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(("interrupted", "interrupted"), ((string?)Record("a")!["status"], (string?)Record("b")!["status"]));
        Assert.True(File.Exists(Path.Combine(Results, "a", "a.html")));
        Assert.False(Directory.Exists(Path.Combine(Results, "c")));
        Assert.Matches(@"c\.ipynb +not started +0 of 2", output.ToString());
        Assert.Contains("Interrupted; what was done is saved.", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no notebook", "good.ipynb", "missing.ipynb")]
    [InlineData("holds no notebook", "good.ipynb", "empty")]
    [InlineData("is named twice", "good.ipynb", "more", "more/two.ipynb")]
    [InlineData("is a notebook in python; expected C#", "good.ipynb", "python")]
    [InlineData("two.ipynb: The notebook has no parameters to set", "good.ipynb", "more", "-p", "steps=2")]
    [InlineData("--jobs 0: expected a whole number, 1 or more", "more", "good.ipynb", "--jobs", "0")]
    [InlineData("--jobs many: expected a whole number", "good.ipynb", "--jobs", "many")]
    [InlineData("--timeout 0: expected seconds", "good.ipynb", "--timeout", "0")]
    [InlineData("exclude each other", "good.ipynb", "--in-place", "--output", "results")]
    [InlineData("expected a folder", "good.ipynb", "--output", "good.ipynb")]
    [InlineData("good.ipynb, found a file", "more", "good.ipynb", "--output", "good.ipynb/below")]
    [InlineData("expected a file, found a folder", "good.ipynb", "--junit", "more")]
    public async Task Invalid_arguments_give_one_sentence_before_anything_runs(string expected, params string[] args)
    {
        folder.File("good.ipynb", TestNotebook.Of(TestNotebook.Code("var steps = 1;", "parameters")));
        folder.File("more/two.ipynb", TestNotebook.Of(TestNotebook.Code("2")));
        folder.File("python/study.ipynb", """{"cells":[],"metadata":{"kernelspec":{"language":"python"}},"nbformat":4,"nbformat_minor":5}""");
        folder.File("empty/runs/old.ipynb", TestNotebook.Of());
        var before = Files();
        Assert.Equal(2, await InvokeAsync(["run",
            .. args.Select((arg, index) => Named(args, index) ? folder.PathTo(arg) : arg)]));
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().Trim().Split('\n'));
        Assert.Equal(before, Files());
        Assert.Equal("", output.ToString());
    }

    private static bool Named(string[] args, int index) =>
        !args[index].StartsWith('-') && (index == 0 || args[index - 1] is not ("--jobs" or "--timeout" or "-p"));

    private Task<int> InvokeAsync(params string[] args) => CommandLine.InvokeAsync(args, output, error);

    private string[] Files() => [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order()];

    private string? Shown(string name, int cell) =>
        (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(Results,
            name)))!["cells"]![cell]!["outputs"]![0]!["data"]!["text/plain"]![0];

    private JsonNode? Record(string name) =>
        Path.Combine(Results, name, "run.json") is var path && File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path)) : null;

    private static async Task UntilAsync(Func<bool> isSo)
    {
        for (var attempt = 0; attempt < 600 && !isSo(); attempt++) await Task.Delay(100);
        Assert.True(isSo());
    }
}
