using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;
using ResearchKit.Training;

namespace ResearchKit.Tests.Kernel.Commands;

public sealed class NewCommandTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_new_notebook_runs_and_passes_verification()
    {
        Assert.Equal(0, await InvokeAsync("new", folder.PathTo("studies/02-what-heads-see")));
        var path = folder.PathTo("studies/02-what-heads-see.ipynb");
        Assert.Contains(path, output.ToString(), StringComparison.Ordinal);
        var notebook = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("# What heads see\n", (string?)notebook["cells"]![0]!["source"]![0]);
        Assert.Equal("researchkit", (string?)notebook["metadata"]!["kernelspec"]!["name"]);
        Assert.DoesNotContain("{{", File.ReadAllText(path), StringComparison.Ordinal);

        Assert.Equal(0, await InvokeAsync("run", path, "--fast", "--output", folder.PathTo("results")));
        Assert.NotEmpty(Assert.Single(RunRecord.Read(folder.PathTo("results")).Runs).Metrics);
        File.Copy(folder.PathTo("results/02-what-heads-see.ipynb"), path, overwrite: true);
        var same = await InvokeAsync("verify", path);
        Assert.True(same == 0, output.ToString());
    }

    [Fact]
    public async Task It_never_replaces_a_file()
    {
        var path = folder.File("study.ipynb", "mine");
        Assert.Equal(2, await InvokeAsync("new", folder.PathTo("study")));
        Assert.Equal("mine", File.ReadAllText(path));
        Assert.Contains("exists already", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("folder/")]
    [InlineData(".ipynb")]
    [InlineData("file/below")]
    public async Task An_invalid_file_name_is_refused(string name)
    {
        folder.File("file", "");
        Assert.Equal(2, await InvokeAsync("new", name.Length == 0 ? name : folder.PathTo(name)));
        Assert.Single(error.ToString().Trim().Split('\n'));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("01-a", "# A\n")]
    [InlineData("2026_\"quoted\" name", "# Quoted name\n")]
    [InlineData("42", "# Study\n")]
    public async Task The_title_is_made_from_the_file_name(string name, string title)
    {
        Assert.Equal(0, await InvokeAsync("new", folder.PathTo(name)));
        Assert.Equal(title, (string?)JsonNode.Parse(File.ReadAllText(folder.PathTo(name
            + ".ipynb")))!["cells"]![0]!["source"]![0]);
    }

    private Task<int> InvokeAsync(params string[] args) => CommandLine.InvokeAsync(args, output, error);
}
