using ResearchKit.Tests.Packaging;
using ResearchKit.Training;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>The tool as it is where libtorch is not installed: a copy of its folder without the native libraries.</summary>
[Collection(OtherPrograms.Name)]
public sealed class NoLibtorchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public NoLibtorchTests()
    {
        var tool = Directory.CreateDirectory(folder.PathTo("tool")).FullName;
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            var place = Path.Combine(tool, Path.GetFileName(file));
            if (Path.GetFileName(file).StartsWith("ResearchKit.Kernel.", StringComparison.Ordinal)) File.Copy(file, place);
            else File.CreateSymbolicLink(place, file);
        }
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_notebook_without_tensors_runs_in_CSharp_and_FSharp_and_its_run_is_recorded_and_listed()
    {
        folder.File("plain.ipynb", TestNotebook.Of(TestNotebook.Code("var x = Enumerable.Range(0, 10).Sum();\nx"),
            TestNotebook.Code("#!fsharp\n[1..3] |> List.sum"), TestNotebook.Code("#!share x --from csharp\nx + 1")));
        var (code, said) = await RunAsync("run", "plain.ipynb", "--output", "out");
        Assert.True(code == 0, said);
        var record = RunRecord.Read(folder.PathTo("out"));
        Assert.Equal(("succeeded", 3), (record.Status, record.Cells!.Count));
        (code, said) = await RunAsync("runs", "out");
        Assert.True(code == 0 && said.Contains("succeeded", StringComparison.Ordinal), said);
    }

    [Fact]
    public async Task A_tensor_is_an_error_that_names_the_package_and_doctor_says_it_too()
    {
        const string Package = "Reference the package libtorch-cpu-";
        folder.File("tensor.ipynb", TestNotebook.Of(TestNotebook.Code("TorchSharp.torch.ones(3)")));
        var (code, said) = await RunAsync("run", "tensor.ipynb", "--output", "out");
        Assert.Equal(1, code);
        Assert.Contains(Package, said, StringComparison.Ordinal);
        (code, said) = await RunAsync("doctor");
        Assert.Equal(2, code);
        Assert.Contains(Package, said, StringComparison.Ordinal);
    }

    private Task<(int Code, string Said)> RunAsync(params string[] arguments) =>
        DotNet.RunAsync("dotnet", folder.Path, [folder.PathTo("tool/ResearchKit.Kernel.dll"), .. arguments]);
}
