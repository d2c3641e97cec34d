using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Kernel.Jupyter;

namespace ResearchKit.Tests.Packaging;

/// <summary>What <c>dotnet pack kernel</c> makes, installed as a user would install it.</summary>
[Collection(OtherPrograms.Name)]
[Trait("Length", "long")]
public sealed class ToolPackageTests(InstalledTool tool) : IClassFixture<InstalledTool>
{
    private const long LargestOnNuget = 250_000_000;

    [Fact]
    public async Task The_tool_runs_a_notebook_with_tensors_and_data_outside_the_repository()
    {
        using var folder = new TemporaryFolder();
        var notebook = folder.File("study.ipynb", TestNotebook.Of(
            TestNotebook.Code("#r \"nuget: ResearchKit\"\nusing TorchSharp;\ntorch.arange(6).reshape(2, 3)"),
            TestNotebook.Code("ResearchKit.Data.DataSets.Open(\"austen\").ReadText(\"emma.txt.gz\").Length > 800_000")));
        var (code, said) = await DotNet.RunAsync(tool.Program, folder.Path, ["--version"]);
        Assert.Equal((0, ProductVersion.Text), (code, said.Trim()));
        (code, said) = await DotNet.RunAsync(tool.Program, folder.Path, ["run", notebook, "--output", folder.PathTo("out")]);
        Assert.True(code == 0, said);
        var cells = JsonNode.Parse(File.ReadAllText(folder.PathTo("out/study.ipynb")))!["cells"]!;
        Assert.Contains("int64", cells[0]!["outputs"]![0]!["data"]!["text/plain"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Contains("True", cells[1]!["outputs"]![0]!["data"]!["text/plain"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_of_its_packages_is_small_enough_to_be_published() =>
        Assert.All(Directory.GetFiles(tool.Feed), package => Assert.InRange(new FileInfo(package).Length, 1, LargestOnNuget));

    [SkippableFact]
    public async Task The_tool_can_be_installed_as_a_Jupyter_kernel()
    {
        using var jupyter = new JupyterFolder();
        await jupyter.RequireAsync("jupyter_client");
        var (code, said) = await DotNet.RunAsync(tool.Program, jupyter.PathTo(""),
            ["kernel", "install", "--prefix", jupyter.PathTo(""), "--name", JupyterFolder.KernelName]);
        Assert.True(code == 0, said);
        var started = JsonNode.Parse(File.ReadAllText(Path.Combine(said.Trim(), "kernel.json")))!["argv"]![0];
        Assert.Equal(tool.Program, (string?)started);   // what an update of the tool leaves in its place
        var told = await jupyter.RunAsync("-c", $"""
            from jupyter_client.manager import start_new_kernel
            manager, client = start_new_kernel(kernel_name='{JupyterFolder.KernelName}', startup_timeout=60)
            def show(message):
                if message['msg_type'] == 'execute_result': print(message['content']['data']['text/plain'])
            client.execute_interactive('TorchSharp.torch.arange(6).sum().item<long>()', timeout=60, output_hook=show)
            manager.shutdown_kernel()
            """);
        Assert.Equal("15\n", told);
    }
}
