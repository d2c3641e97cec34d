using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Kernel.Languages;
using ResearchKit.Training;

namespace ResearchKit.Tests.Notebooks;

/// <summary>Every notebook of the repository, found by looking.</summary>
public sealed class NotebookTests
{
    /// <summary>The notebooks that a plain test run runs: a transformer, F#, and Python with a recurrent network.</summary>
    private static readonly string[] First = ["01-", "04-", "06-"];

    public static TheoryData<string> Every => Those(_ => true);

    public static TheoryData<string> Some => Those(name => First.Any(name.StartsWith));

    public static TheoryData<string> Others => Those(name => !First.Any(name.StartsWith));

    [SkippableTheory]
    [MemberData(nameof(Some))]
    public Task It_runs_from_top_to_bottom(string name) => RunAsync(name);

    [SkippableTheory]
    [MemberData(nameof(Others))]
    [Trait("Length", "long")]
    public Task So_do_the_others(string name) => RunAsync(name);

    [Theory]
    [MemberData(nameof(Every))]
    public void It_is_committed_with_the_outputs_of_a_real_run(string name)
    {
        var notebook = JsonNode.Parse(File.ReadAllText(Repository.PathTo("notebooks", name)))!;
        var cells = notebook["cells"]!.AsArray().Where(cell => (string?)cell!["cell_type"] == "code").ToList();
        Assert.Equal("succeeded", (string?)notebook["metadata"]?["researchkit"]?["status"]);
        Assert.Equal(Enumerable.Range(1, cells.Count), cells.Select(cell => (int?)cell!["execution_count"] ?? 0));
        Assert.DoesNotContain(cells.SelectMany(cell => cell!["outputs"]!.AsArray()), output =>
            (string?)output!["output_type"] == "error");
        Assert.Contains(cells.SelectMany(cell => cell!["outputs"]!.AsArray()), output =>
            output!["data"]?["text/html"] is not null);
    }

    private static TheoryData<string> Those(Func<string, bool> which) =>
        [.. Directory.GetFiles(Repository.PathTo("notebooks"), "*.ipynb").Select(path => Path.GetFileName(path)).Where(which)];

    private static async Task RunAsync(string name)
    {
        SkipWithoutItsPython(name);
        using var folder = new TemporaryFolder();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var results = Path.Combine(folder.Path, "results");
        var code = await CommandLine.InvokeAsync(["run", Repository.PathTo("notebooks", name), "--fast", "--output", results],
            output, error);
        Assert.True(code == 0, $"exit code {code}\n{error}\n{output}");
        var record = RunRecord.Read(results);
        Assert.Equal("succeeded", record.Status);
        Assert.NotEmpty(Assert.Single(record.Runs).Metrics);
        Assert.Contains("libtorch", record.Process.Packages.Keys);
        Assert.DoesNotContain("<script src", File.ReadAllText(Path.Combine(results, Path.ChangeExtension(name, ".html"))),
            StringComparison.Ordinal);
    }

    private static void SkipWithoutItsPython(string name)
    {
        if (!File.ReadAllText(Repository.PathTo("notebooks", name)).Contains("\"#!python", StringComparison.Ordinal)) return;
        using var python = new PythonSession();
        python.SkipWithout("numpy");
    }
}
