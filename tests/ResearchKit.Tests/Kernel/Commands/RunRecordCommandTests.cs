using System.Text.Json.Nodes;
using ResearchKit.Kernel.Commands;
using ResearchKit.Native;
using ResearchKit.Tests.Packaging;
using ResearchKit.Training;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>The record of a notebook's run, which the kernel and the kit in its cells write together.</summary>
public sealed class RunRecordCommandTests : IDisposable
{
    private const string Study = """
        using ResearchKit.Training;
        var run = RunRecord.Start("study", 3, new { steps = 2 });
        run.Measure("loss", 1.25, "nats");
        run.Save();
        """;

    private readonly TemporaryFolder folder = new();
    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    private string Results => folder.PathTo("results");

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_kernel_and_the_kit_write_one_record()
    {
        var steps = TestNotebook.Code("var steps = 1;", "parameters");
        var path = Notebook(steps, TestNotebook.Code(Study), TestNotebook.Code("1 + 1"));
        Assert.Equal(0, await InvokeAsync("run", path, "-p", "steps=2", "--output", Results));
        var record = RunRecord.Read(Results);
        Assert.Equal((path, "succeeded", 4), (record.Notebook, record.Status, record.Cells!.Count));
        Assert.Equal(2L, record.Parameters!["steps"]);
        var run = Assert.Single(record.Runs);
        Assert.Equal(("study", 3L, new Measurement(1.25, "nats"), null), (run.Name, run.Seed, run.Metrics["loss"], run.Process));
        Assert.Equal(["ResearchKit", ".NET", "TorchSharp", "libtorch"], record.Process.Packages.Keys);
        Assert.NotEmpty(record.Process.Kernels);
        var told = Summary()["runs"]![0]!;
        Assert.Equal(("study", 1.25), ((string?)told["name"], (double?)told["metrics"]!["loss"]!["value"]));
    }

    [Fact]
    public async Task A_second_run_in_the_same_folder_starts_a_new_record()
    {
        var path = Notebook(TestNotebook.Code(Study));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        Assert.Single(RunRecord.Read(Results).Runs);
    }

    [Fact]
    public async Task A_cell_that_damages_the_record_loses_nothing()
    {
        const string Damage = "File.WriteAllText(Path.Combine(run.Folder, RunRecord.FileName), \"half of \");";
        var path = Notebook(TestNotebook.Code(Study), TestNotebook.Code(Damage), TestNotebook.Code("run.Save();"));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        var record = RunRecord.Read(Results);
        Assert.Equal(("succeeded", 3), (record.Status, record.Cells!.Count));
        Assert.Equal(1.25, Assert.Single(record.Runs).Metrics["loss"].Value);
        Assert.Equal("half of ", File.ReadAllText(Path.Combine(Results, "run.damaged-1.json")));
        Assert.Contains("run.damaged-1.json", Assert.Single(record.Notes!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kernels_are_read_from_the_record_of_a_notebook()
    {
        var path = Notebook(TestNotebook.Code(Study));
        Assert.Equal(0, await InvokeAsync("run", path, "--output", Results));
        Assert.Equal(2, await InvokeAsync("run", path, "--output", folder.PathTo("again"), "--kernels", path));
        Assert.Contains("study.ipynb: the record of a run has", error.ToString(), StringComparison.Ordinal);
        var given = KernelTable.Parse("convolution=columns").Described();
        RunFile.Update(Results, record => record! with { Process = record.Process with { Kernels = given } });
        var (code, said) = await KernelAsync("run", path, "--output", folder.PathTo("again"), "--kernels", Results);
        Assert.True(code == 0, said);
        var used = RunRecord.Read(folder.PathTo("again")).Process.Kernels;
        Assert.StartsWith("columns: ", used["convolution"], StringComparison.Ordinal);
        var again = folder.PathTo("again/study.ipynb");
        (code, said) = await KernelAsync("verify", again, "--kernels", Path.Combine(Results, "run.json"));
        Assert.True(code == 0, said);
    }

    [SkippableFact]
    public async Task The_record_says_that_a_cell_enabled_portable_mode()
    {
        Skip.IfNot(ResearchKit.Tests.Native.PortableModeTests.IsPossible, "Portable mode needs AVX2 on Linux.");
        var path = Notebook(TestNotebook.Code("1 + 1"), TestNotebook.Code("ResearchKit.Native.Compute.Portable = true;"));
        var (code, said) = await KernelAsync("run", path, "--output", Results);
        Assert.True(code == 0, said);
        Assert.True(RunRecord.Read(Results).Process.Portable);
        Assert.True((bool?)Summary()["portable"]);
        Assert.Equal(0, await InvokeAsync("run", Notebook(TestNotebook.Code("1")), "--output", Results));
        Assert.Equal(Compute.Portable, RunRecord.Read(Results).Process.Portable);
    }

    private string Notebook(params JsonObject[] cells) => folder.File("study.ipynb", TestNotebook.Of(cells));

    private JsonNode Summary() =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Results, "study.ipynb")))!["metadata"]!["researchkit"]!;

    private Task<(int Code, string Said)> KernelAsync(params string[] arguments) =>
        DotNet.RunAsync("dotnet", folder.Path, [Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"), .. arguments]);

    private Task<int> InvokeAsync(params string[] arguments) => CommandLine.InvokeAsync(arguments, output, error);
}
