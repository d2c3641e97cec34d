using System.IO.Compression;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Tests.Kernel.Languages;

public sealed class PackageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly List<Output> outputs = [];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_package_that_is_already_loaded_is_used_in_its_loaded_version()
    {
        using var session = new Session(folder.Path);
        var outcome = await session.ExecuteAsync("#r \"nuget: TorchSharp, 0.1.0\"\n#r \"nuget:ResearchKit\"\n#r \"nuget: "
            + "Plotly.NET, *-*\"\ntypeof(TorchSharp.torch).Assembly.GetName().Version.ToString(3)", 1, outputs.Add);
        Assert.Null(outcome.Error);
        var note = Assert.Single(outputs.OfType<StreamOutput>()).Text;
        Assert.Matches(@"^TorchSharp 0\.1\.0 was asked for; this kernel carries [\d.]+, which is used\.\n$", note);
        Assert.NotEqual("0.1.0", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);
    }

    [Fact]
    public async Task A_package_of_the_notebooks_own_feed_is_restored_with_its_dependencies()
    {
        var id = $"Kit.Test{Guid.NewGuid():N}"[..20];
        var feed = Directory.CreateDirectory(Path.Combine(folder.Path, "feed")).FullName;
        var core = Compile($"{id}.Core", "namespace Test; public static class Core { public static int Seven => 7; }");
        var top = Compile(id, "namespace Test; public static class Top { public static int Eight => Core.Seven + 1; }",
            MetadataReference.CreateFromImage(core));
        Pack(feed, $"{id}.Core", core, dependency: null);
        Pack(feed, id, top, dependency: $"{id}.Core");
        folder.File("NuGet.Config", $"""
            <configuration><config><add key="globalPackagesFolder" value="{Path.Combine(folder.Path, "packages")}" /></config>
            <packageSources><clear /><add key="local" value="{feed}" /></packageSources></configuration>
            """);
        using var session = new Session(Directory.CreateDirectory(Path.Combine(folder.Path, "notebooks")).FullName);
        var outcome = await session.ExecuteAsync($"// first\n#r \"nuget: {id}, 1.0.0\"\nTest.Top.Eight", 1, outputs.Add);
        Assert.Null(outcome.Error);
        Assert.Equal("8", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);

        var failed = await session.ExecuteAsync("1;\n#r \"nuget: No.Such.Package.Here, 1.0.0\"", 2, outputs.Add);
        Assert.Equal((CellStatus.Failed, 2), (failed.Status, failed.Error!.Line));
        Assert.Matches(@"^\(2,1\): #r ""nuget: .*No\.Such\.Package\.Here 1\.0\.0"" could not be restored\. NU1101: ",
            failed.Error.Message);
    }

    [Fact]
    public async Task An_assembly_is_referenced_by_its_path_relative_to_the_notebook()
    {
        var name = $"Local{Guid.NewGuid():N}"[..16];
        File.WriteAllBytes(Path.Combine(folder.Path, $"{name}.dll"),
            Compile(name, "namespace Local; public static class Here { public static int Nine => 9; }"));
        using var session = new Session(folder.Path);
        await session.ExecuteAsync($"#r \"{name}.dll\"\nLocal.Here.Nine", 1, outputs.Add);
        Assert.Equal("9", Assert.Single(outputs.OfType<ResultOutput>()).Data["text/plain"]);

        var failed = await session.ExecuteAsync("#r \"missing.dll\"", 2, outputs.Add);
        Assert.Contains("missing.dll", failed.Error!.Message, StringComparison.Ordinal);
        failed = await session.ExecuteAsync("#r \"nuget: not a name\"", 3, outputs.Add);
        Assert.Contains("names no package", failed.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_package_with_another_Roslyn_version_does_not_break_completion_or_pages()
    {
        var probe = ProbeProcess.Run(OtherRoslynProbe.Name);
        Assert.True(probe.ExitCode == 0, probe.Errors);
    }

    private static byte[] Compile(string name, string source, params MetadataReference[] references)
    {
        using var stream = new MemoryStream();
        var result = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(source)],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location), .. references],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(stream);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return stream.ToArray();
    }

    private static void Pack(string feed, string id, byte[] assembly, string? dependency)
    {
        using var package = ZipFile.Open(Path.Combine(feed, $"{id}.1.0.0.nupkg"), ZipArchiveMode.Create);
        var needs = dependency is null ? "" : $"<dependency id=\"{dependency}\" version=\"1.0.0\" />";
        using (var nuspec = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open()))
            nuspec.Write($"""
                <?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
                <id>{id}</id><version>1.0.0</version><authors>t</authors><description>t</description>
                <dependencies><group targetFramework="net10.0">{needs}</group></dependencies></metadata></package>
                """);
        using var file = package.CreateEntry($"lib/net10.0/{id}.dll").Open();
        file.Write(assembly);
    }
}
