using System.IO.Compression;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ResearchKit.Tests.Kernel.Languages;

[Collection(SharedFSharp.Name)]
public sealed class FSharpReferenceTests(FSharpCells cells)
{
    [Fact]
    public async Task An_assembly_is_referenced_by_its_path_relative_to_the_notebook()
    {
        var name = $"Local{Guid.NewGuid():N}"[..16];
        File.WriteAllBytes(Path.Combine(cells.Folder, $"{name}.dll"), Compile(name));
        Assert.Equal(9, await cells.ValueAsync($"// first\n#r \"{name}.dll\"\nopen {name}\nHere.Nine"));
        Assert.Equal(10, await cells.ValueAsync("Here.Nine + 1"));

        var error = await cells.ErrorAsync("\n#r \"missing.dll\"");
        Assert.Equal(("FileNotFound", 2), (error.Kind, error.Line));
    }

    [Fact]
    public async Task A_package_that_is_already_loaded_is_used_in_its_loaded_version()
    {
        var text = await cells.TextAsync("#r \"nuget: TorchSharp, 0.1.0\"\n#r \"nuget:ResearchKit\"\nlet carried = "
            + "typeof<TorchSharp.torch>");
        Assert.Matches(@"^TorchSharp 0\.1\.0 was asked for; this kernel carries [\d.]+, which is used\.\n$", text);
        Assert.Same(typeof(TorchSharp.torch), await cells.ValueAsync("carried"));
    }

    [Fact]
    public async Task A_package_is_restored_from_a_source_named_in_the_cell()
    {
        var id = $"Kit.Test{Guid.NewGuid():N}"[..20];
        Pack(Directory.CreateDirectory(Path.Combine(cells.Folder, "feed")).FullName, id, Compile("Packed"));
        File.WriteAllText(Path.Combine(cells.Folder, "NuGet.Config"), $"""
            <configuration><config><add key="globalPackagesFolder" value="{Path.Combine(cells.Folder, "packages")}" /></config>
            <packageSources><clear /></packageSources></configuration>
            """);
        Assert.Equal(9, await cells.ValueAsync($"#i \"nuget: feed\"\n#r \"nuget: {id}, 1.0.0\"\nPacked.Here.Nine"));
    }

    private static void Pack(string feed, string id, byte[] assembly)
    {
        using var package = ZipFile.Open(Path.Combine(feed, $"{id}.1.0.0.nupkg"), ZipArchiveMode.Create);
        using (var nuspec = new StreamWriter(package.CreateEntry($"{id}.nuspec").Open()))
            nuspec.Write($"""
                <?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
                <id>{id}</id><version>1.0.0</version><authors>t</authors><description>t</description></metadata></package>
                """);
        using var file = package.CreateEntry("lib/net10.0/Packed.dll").Open();
        file.Write(assembly);
    }

    private static byte[] Compile(string name)
    {
        using var stream = new MemoryStream();
        var source = CSharpSyntaxTree.ParseText($"namespace {name}; public static class Here {{ public static int Nine => 9; }}");
        var result = CSharpCompilation.Create(name, [source],
            [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)).Emit(stream);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return stream.ToArray();
    }
}
