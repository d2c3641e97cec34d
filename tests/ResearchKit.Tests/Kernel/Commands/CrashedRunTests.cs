using System.Text.Json.Nodes;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>Notebooks whose cells end the process that runs them, under the program itself.</summary>
[Collection(OtherPrograms.Name)]
public sealed class CrashedRunTests : IDisposable
{
    // the arguments of a constructor call have no recursion check of their own
    private const string Recursion = "class C { public C(int n) { } public C() : this(new C().GetHashCode()) { } }\nnew C()";
    private const string Lost = """
        async void Lose() { await Task.Yield(); throw new InvalidOperationException("lost"); }
        Lose();
        Thread.Sleep(-1);
        """;

    private readonly TemporaryFolder folder = new();

    private string Results => folder.PathTo("results");

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("Environment.Exit(0);", "its code ended it with exit code 0", "")]
    [InlineData("new Thread(() => Environment.Exit(3)).Start();\nThread.Sleep(-1);", "its code ended it with exit code 3", "")]
    [InlineData(Lost, "nothing caught System.InvalidOperationException: lost", "Lose")]
    [InlineData(Recursion, "signal 6", "Stack overflow")]
    [InlineData("System.Diagnostics.Process.GetCurrentProcess().Kill();", "signal 9", "")]
    public async Task The_cell_that_ended_the_process_gets_the_error_and_the_run_fails(string code, string reason, string word)
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("Console.WriteLine(\"one\");"),
            TestNotebook.Code($"Console.WriteLine(\"two\");\n{code}"),
            TestNotebook.Code("3")));
        var (exit, said) = await RunAsync("run", path, "--output", Results);
        Assert.True(exit == 1, said);
        Assert.Contains("Cell 2 failed: Crashed", said, StringComparison.Ordinal);
        Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(Results, "study.html"), said, StringComparison.Ordinal);

        var cells = Json("study.ipynb")["cells"]!.AsArray().Select(cell => cell!["outputs"]!.AsArray()).ToList();
        Assert.Equal("one\n", (string?)Assert.Single(cells[0])!["text"]![0]);
        var error = cells[1][^1]!;
        Assert.Equal(("error", "Crashed"), ((string?)error["output_type"], (string?)error["ename"]));
        Assert.Contains(reason, (string?)error["evalue"], StringComparison.Ordinal);
        Assert.Contains(word, error["traceback"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Empty(cells[2]);
        var isSaved = !reason.StartsWith("signal", StringComparison.Ordinal);   // which ends the process at once
        Assert.Equal(isSaved ? "two\n" : null, (string?)cells[1][0]!["text"]?[0]);

        Assert.Equal("crashed", (string?)Json("run.json")["status"]);
        Assert.Equal(["succeeded", "crashed"], Json("run.json")["cells"]!.AsArray().Select(cell => (string?)cell!["status"]));
        var page = File.ReadAllText(Path.Combine(Results, "study.html"));
        Assert.Contains("The process ended in this cell", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_is_also_reported_by_verify_and_by_an_in_place_run()
    {
        var stale = new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = "stale" };
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.WithOutputs("1", stale), TestNotebook.Code("Environment.Exit(0);")));
        var (exit, said) = await RunAsync("verify", path);
        Assert.True(exit == 1, said);
        Assert.Contains("Cell 2 failed: Crashed", said, StringComparison.Ordinal);

        (exit, said) = await RunAsync("run", path, "--in-place");
        Assert.True(exit == 1, said);
        var outputs = JsonNode.Parse(File.ReadAllText(path))!["cells"]![1]!["outputs"]!;
        Assert.Equal("Crashed", (string?)outputs[0]!["ename"]);
    }

    [Fact]
    public async Task A_run_ends_despite_a_thread_of_a_cell_and_keeps_the_last_output()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("new Thread(() => Thread.Sleep(-1)).Start();\nConsole.WriteLine(\"started\");")));
        var (exit, said) = await RunAsync("run", path, "--output", Results);
        Assert.True(exit == 0, said);
        Assert.Equal("started\n", (string?)Json("study.ipynb")["cells"]![0]!["outputs"]![0]!["text"]![0]);
    }

    private Task<(int Code, string Said)> RunAsync(params string[] arguments) =>
        DotNet.RunAsync("dotnet", folder.Path, [Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"), .. arguments]);

    private JsonNode Json(string file) => JsonNode.Parse(File.ReadAllText(Path.Combine(Results, file)))!;
}
