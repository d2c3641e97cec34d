using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Kernel.Languages;
using ResearchKit.Training;

namespace ResearchKit.Tests.Notebooks;

/// <summary>Every notebook of the repository, found by looking.</summary>
public sealed class NotebookTests
{
    public static TheoryData<string> Every =>
        [.. Directory.GetFiles(Repository.PathTo("notebooks"), "*.ipynb").Select(path => Path.GetFileName(path))];

    [SkippableTheory]
    [MemberData(nameof(Every))]
    public async Task It_runs_from_top_to_bottom(string name)
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

    private static void SkipWithoutItsPython(string name)
    {
        if (!File.ReadAllText(Repository.PathTo("notebooks", name)).Contains("\"#!python", StringComparison.Ordinal)) return;
        using var python = new PythonSession();
        python.SkipWithout("numpy");
    }
}
