using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;

namespace ResearchKit.Tests.Kernel.Commands;

public sealed class RunCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    private string Results => Path.Combine(folder.Path, "results");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_run_writes_the_notebook_the_page_and_the_record()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Markdown("# Study"),
            TestNotebook.Code("const int steps = 800;", "parameters"),
            TestNotebook.Code("var shown = display(\"begin\");\nfor (var i = 0; i < 50; i++) shown.Update($\"step "
                + "{i}\");\nConsole.WriteLine(Path.GetFileName(Directory.GetCurrentDirectory()));\nFile.WriteAllText(Path.Combine(Environment.GetEnvironmentVariable(\"RESEARCHKIT_RUN_FOLDER\"), \"beside.txt\"), \"{}\");\nsteps * 2")));
        var before = File.ReadAllText(path);
        var here = Directory.GetCurrentDirectory();

        Assert.Equal(0, await InvokeAsync("run", path, "-p", "steps=21", "--output", Results));
        Assert.Equal(before, File.ReadAllText(path));
        Assert.Equal(here, Directory.GetCurrentDirectory());
        Assert.Null(Environment.GetEnvironmentVariable("RESEARCHKIT_RUN_FOLDER"));
        Assert.Equal(["beside.txt", "run.json", "study.html", "study.ipynb"],
            Directory.GetFiles(Results).Select(Path.GetFileName).Order());

        var cells = Executed()["cells"]!.AsArray();
        Assert.Equal("int steps = 21;", (string?)cells[2]!["source"]![1]);
        Assert.Equal(["display_data", "stream", "execute_result"],
            cells[3]!["outputs"]!.AsArray().Select(item => (string?)item!["output_type"]));
        Assert.Equal("step 49", (string?)cells[3]!["outputs"]![0]!["data"]!["text/plain"]![0]);
        Assert.Equal(Path.GetFileName(folder.Path) + "\n", (string?)cells[3]!["outputs"]![1]!["text"]![0]);
        Assert.Equal("42", (string?)cells[3]!["outputs"]![2]!["data"]!["text/plain"]![0]);
        Assert.Equal("succeeded", (string?)Executed()["metadata"]!["researchkit"]!["status"]);
        Assert.Equal((21, 3), ((int)Record()["parameters"]!["steps"]!, Record()["cells"]!.AsArray().Count));
        Assert.Equal(64, ((string)Record()["sha256"]!).Length);
        Assert.Contains("cell 3 of 3: succeeded", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_save_that_fails_between_cells_warns_and_the_run_goes_on()
    {
        const string place = "var place = Path.Combine(Environment.GetEnvironmentVariable(\"RESEARCHKIT_RUN_FOLDER\"), "
            + "\"study.ipynb\");\n";
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code(place + "File.Delete(place); Directory.CreateDirectory(place);"), TestNotebook.Code("\"worked\""),
            TestNotebook.Code("Directory.Delete(place);"), TestNotebook.Code("\"end\"")));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        Assert.Single(output.ToString().Split('\n'), line =>
            line.StartsWith("warning: The outputs up to cell 1 could not be saved", StringComparison.Ordinal));
        Assert.Equal("worked", (string?)Executed()["cells"]![1]!["outputs"]![0]!["data"]!["text/plain"]![0]);
        Assert.Equal("end", (string?)Executed()["cells"]![3]!["outputs"]![0]!["data"]!["text/plain"]![0]);
    }

    [Fact]
    public async Task Parameters_of_the_command_line_override_the_fast_settings_of_the_notebook()
    {
        var cell = TestNotebook.Code("var steps = 800;\nvar width = 64;", "parameters");
        cell["metadata"]!["fast"] = new JsonObject { ["steps"] = 2, ["width"] = 8 };
        var path = folder.File("study.ipynb", TestNotebook.Of(cell, TestNotebook.Code("(steps, width)")));
        Assert.Equal(0, await InvokeAsync("run", path, "--fast", "-p", "width=16", "--output", Results));
        Assert.Equal((2, 16), ((int)Record()["parameters"]!["steps"]!, (int)Record()["parameters"]!["width"]!));

        var plain = folder.File("plain.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        Assert.Equal(2, await InvokeAsync("run", plain, "--fast"));
        Assert.Contains("no fast settings", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_cell_stops_the_run_and_earlier_outputs_are_saved()
    {
        var stale = TestNotebook.WithOutputs("3",
            new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = "stale" });
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("Console.WriteLine(\"one\");"),
                TestNotebook.Code("var a = 1;\nthrow new Exception(\"broken\");\na"), stale));
        Assert.Equal(1, await InvokeAsync("run", path, "--output", Results));
        Assert.Equal("""
            Cell 2 failed: Exception

                1  var a = 1;
            >   2  throw new Exception("broken");
                3  a

            Exception: broken
               at cell 2, line 2: throw new Exception("broken");

            """.ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
        var cells = Executed()["cells"]!.AsArray();
        Assert.Equal(["stream", "error", null],
            cells.Select(cell => (string?)cell!["outputs"]!.AsArray().FirstOrDefault()?["output_type"]));
        Assert.Equal("failed", (string?)Record()["status"]);
        Assert.Contains("broken", File.ReadAllText(Path.Combine(Results, "study.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_run_saves_its_outputs()
    {
        var begun = folder.PathTo("begun");
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("Console.WriteLine(\"one\");"),
                TestNotebook.Code($"File.WriteAllText(@\"{begun}\", \"\");\nawait Task.Delay(-1, Cancellation);")));
        using var interrupt = new CancellationTokenSource();
        var run = CommandLine.InvokeAsync(["run", path, "--output", Results], output, error, interrupt.Token);
        while (!run.IsCompleted && !File.Exists(begun)) await Task.Delay(20);
        await interrupt.CancelAsync();
        Assert.Equal(130, await run);
        Assert.Equal("interrupted", (string?)Record()["status"]);
        Assert.True(File.Exists(Path.Combine(Results, "study.html")));
    }

    [Theory]
    [InlineData("There is no notebook", "missing.ipynb")]
    [InlineData("is not valid JSON", "broken.ipynb")]
    [InlineData("is a notebook in python; expected C#", "python.ipynb")]
    [InlineData("has no parameter 'nope'", "good.ipynb", "-p", "nope=1")]
    [InlineData("steps is an int; 'abc' is not one.", "good.ipynb", "-p", "steps=abc")]
    [InlineData("expected name=value", "good.ipynb", "-p", "steps")]
    [InlineData("Unrecognized", "good.ipynb", "--nope")]
    public async Task Invalid_arguments_give_one_sentence_and_write_nothing(string expected, string name, params string[] rest)
    {
        folder.File("broken.ipynb", "broken");
        folder.File("good.ipynb", TestNotebook.Of(TestNotebook.Code("var steps = 1;", "parameters")));
        folder.File("python.ipynb", """{"cells":[],"metadata":{"kernelspec":{"language":"python"}},"nbformat":4,"nbformat_minor":5}""");
        Assert.Equal(2, await InvokeAsync(["run", Path.Combine(folder.Path, name), "--output", Results, .. rest]));
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().Trim().Split('\n'));
        Assert.False(Directory.Exists(Results));
    }

    [Fact]
    public async Task An_unpaired_surrogate_in_the_output_does_not_corrupt_the_file()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("Console.Write('\\ud83d'); Console.Write('\\ude00'); Console.Write(\"|\\ud83d|\"); \"😀\"[..1]")));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        Assert.Equal("😀|\ufffd|", (string?)Executed()["cells"]![0]!["outputs"]![0]!["text"]![0]);
    }

    [Fact]
    public async Task A_run_never_replaces_its_own_notebook()
    {
        var path = folder.File("good.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        Assert.Equal(2, await InvokeAsync("run", path, "--output", folder.Path));
        Assert.Equal(2, await InvokeAsync("export", path, "--output", path));
    }

    [Fact]
    public async Task Export_writes_the_page_without_running_the_notebook()
    {
        var path = folder.File("good.ipynb", TestNotebook.Of(TestNotebook.Code("1 + nothing")));
        Assert.Equal(0, await InvokeAsync("export", path));
        Assert.Contains("nothing", File.ReadAllText(Path.ChangeExtension(path, ".html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("run", "--help")]
    [InlineData("export", "--help")]
    [InlineData("verify", "--help")]
    [InlineData("new", "--help")]
    public async Task Help_has_examples(params string[] args)
    {
        Assert.Equal(0, await InvokeAsync(args));
        Assert.Contains("Examples:\n  researchkit ", output.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_printed()
    {
        Assert.Equal(0, await InvokeAsync("--version"));
        Assert.Matches(@"^\d+\.\d+\.\d+(-[a-z]+)?\s*$", output.ToString());
    }

    private Task<int> InvokeAsync(params string[] args) => CommandLine.InvokeAsync(args, output, error);

    private JsonNode Executed() => JsonNode.Parse(File.ReadAllText(Path.Combine(Results, "study.ipynb")))!;

    private JsonNode Record() => JsonNode.Parse(File.ReadAllText(Path.Combine(Results, "run.json")))!;
}
