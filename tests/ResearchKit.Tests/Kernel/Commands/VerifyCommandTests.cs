using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;

namespace ResearchKit.Tests.Kernel.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Verify_passes_if_a_run_with_the_recorded_parameters_gives_the_committed_outputs()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("var steps = 800;", "parameters"),
            TestNotebook.Code("Console.WriteLine($\"{steps} steps, {DateTime.Now:u}, {Guid.NewGuid()}, {Random.Shared.Next(5, "
                + "10)}.5 s\");"),
            TestNotebook.Code("Random.Shared.NextDouble()", "volatile"),
            TestNotebook.Code("throw new Exception(\"expected\");", "raises-exception")));
        await CommitAsync(path, "-p", "steps=21");
        var before = (File.ReadAllText(path), Files());
        Assert.Equal(0, await InvokeAsync("verify", path));
        Assert.Equal(before.Item1, File.ReadAllText(path));
        Assert.Equal(before.Item2, Files());
        Assert.EndsWith("study.ipynb: as committed, 3 cells compared; every number the same; 1 left out as volatile",
            output.ToString().Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_difference_is_shown_with_both_lines_and_the_largest_relative_difference()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("Console.WriteLine(\"loss 1.645 after 20 steps\");\nConsole.WriteLine(\"same\");"),
                TestNotebook.Code("2.000"), TestNotebook.Code("display(\"here\");")));
        await CommitAsync(path);
        Edit(path, 0, cell => cell["outputs"]![0]!["text"] = "loss 1.702 after 20 steps\nsame\n");
        Assert.Equal(1, await InvokeAsync("verify", path));
        Assert.Contains("""
            study.ipynb: 1 cell of 3 differ
              cell 1 (cell-0): Console.WriteLine("loss 1.645 after 20 steps");
                stdout: 1 line differs
                  line 1, committed  loss 1.702 after 20 steps
                          now        loss 1.645 after 20 steps
                  largest relative difference 3.35e-2 (1.702 → 1.645); allowed 0.001
            """.ReplaceLineEndings("\n"), output.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);

        Assert.Equal(0, await InvokeAsync("verify", path, "--rtol", "0.04"));
        Assert.Equal(0, await InvokeAsync("verify", path, "--atol", "0.06"));
        Edit(path, 0, cell => cell["metadata"]!["verify"] = new JsonObject { ["rtol"] = 0.04 });
        Assert.Equal(0, await InvokeAsync("verify", path));
    }

    [Fact]
    public async Task A_failing_cell_and_cells_that_were_not_reached_are_reported()
    {
        var path = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code($"if (File.Exists(@\"{folder.PathTo("stop")}\")) throw new Exception(\"broken\");\n1"),
                TestNotebook.Code("2")));
        await CommitAsync(path);
        folder.File("stop", "");
        Assert.Equal(1, await InvokeAsync("verify", path));
        Assert.Contains("study.ipynb: failed in cell 1 (Exception)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("now        error", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 cell was not reached", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Exception: broken", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_notebooks_are_verified_and_each_result_is_reported()
    {
        var good = folder.File("all/good.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        var bad = folder.File("all/sub/bad.ipynb", TestNotebook.Of(TestNotebook.Code("\"now\"")));
        await CommitAsync(good);
        await CommitAsync(bad);
        Edit(bad, 0, cell => cell["outputs"]![0]!["data"]!["text/plain"] = "then");
        Assert.Equal(1, await InvokeAsync("verify", folder.PathTo("all"), "--jobs", "2"));
        Assert.Contains("good.ipynb: as committed", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("bad.ipynb: 1 cell of 1 differ", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("has no outputs to compare with", "new.ipynb")]
    [InlineData("--rtol -1: expected a number, 0 or more", "run.ipynb", "--rtol", "-1")]
    [InlineData("metadata.verify.rtol: expected a number, 0 or more", "tolerance.ipynb")]
    [InlineData("has no parameter 'gone'", "parameters.ipynb")]
    [InlineData("There is no notebook", "missing.ipynb")]
    public async Task Invalid_arguments_give_one_sentence_before_anything_runs(string expected, string name, params string[] rest)
    {
        var shown = new JsonObject { ["output_type"] = "stream", ["name"] = "stdout", ["text"] = "1" };
        folder.File("new.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        folder.File("run.ipynb", TestNotebook.Output(shown));
        folder.File("tolerance.ipynb",
            TestNotebook.Output((JsonObject)shown.DeepClone())
            .Replace("\"metadata\":{}", "\"metadata\":{\"verify\":{\"rtol\":\"much\"}}", StringComparison.Ordinal));
        var cell = TestNotebook.WithOutputs("var steps = 1;", (JsonObject)shown.DeepClone());
        cell["metadata"]!["tags"] = new JsonArray("parameters");
        folder.File("parameters.ipynb", TestNotebook.Of(cell).Replace(
            "\"metadata\":{},\"nbformat\"", "\"metadata\":{\"researchkit\":{\"parameters\":{\"gone\":1}}},\"nbformat\"",
                StringComparison.Ordinal));
        Assert.Equal(2, await InvokeAsync(["verify", folder.PathTo(name), .. rest]));
        Assert.Contains(expected, error.ToString(), StringComparison.Ordinal);
        Assert.Single(error.ToString().Trim().Split('\n'));
        Assert.Equal("", output.ToString());
    }

    private Task<int> InvokeAsync(params string[] args) => CommandLine.InvokeAsync(args, output, error);

    /// <summary>Gives the notebook the outputs of a run, as an author does.</summary>
    private async Task CommitAsync(string path, params string[] parameters)
    {
        using var quiet = new StringWriter();
        await CommandLine.InvokeAsync(["run", path, "--output", folder.PathTo("first"), .. parameters], quiet, quiet);
        File.Copy(Path.Combine(folder.PathTo("first"), Path.GetFileName(path)), path, overwrite: true);
        Directory.Delete(folder.PathTo("first"), recursive: true);
    }

    /// <summary>Changes a cell of the file.</summary>
    private static void Edit(string path, int cell, Action<JsonNode> change)
    {
        var notebook = JsonNode.Parse(File.ReadAllText(path))!;
        change(notebook["cells"]![cell]!);
        File.WriteAllText(path, notebook.ToJsonString());
    }

    private string[] Files() => [.. Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories).Order()];
}
