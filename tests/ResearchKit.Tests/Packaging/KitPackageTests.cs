using System.IO.Compression;
using System.Text;
using System.Xml.Linq;
using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Packaging;

/// <summary>What <c>dotnet pack kit</c> makes.</summary>
[Collection(OtherPrograms.Name)]
public sealed class KitPackageTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, byte[]> files = [];

    public async Task InitializeAsync()
    {
        await DotNet.PackAsync("kit", folder.Path, "--no-build");
        using var package = ZipFile.OpenRead(Assert.Single(Directory.GetFiles(folder.Path, "ResearchKit.*.nupkg")));
        foreach (var entry in package.Entries)
        {
            using var content = new MemoryStream();
            await using var stream = entry.Open();
            await stream.CopyToAsync(content);
            files[entry.FullName] = content.ToArray();
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_package_contains_the_assembly_its_documentation_the_readme_and_the_extension() => Assert.Equal(
        ["README.md", "ResearchKit.nuspec", "interactive-extensions/dotnet/extension.dib", "lib/net10.0/ResearchKit.dll",
            "lib/net10.0/ResearchKit.xml"],
        files.Keys.Where(name =>
            !name.StartsWith("_rels", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal)
            && name != "[Content_Types].xml").Order(StringComparer.Ordinal));

    [Fact]
    public void The_package_depends_on_the_libraries_but_on_no_native_libtorch_package()
    {
        var nuspec = XDocument.Parse(Text("ResearchKit.nuspec"));
        var needs = nuspec.Descendants().Where(node => node.Name.LocalName == "dependency")
            .Select(node => (string)node.Attribute("id")!).ToList();
        Assert.Superset(new HashSet<string> { "TorchSharp", "Microsoft.DotNet.Interactive.Formatting", "Plotly.NET",
            "Plotly.NET.CSharp" }, needs.ToHashSet());
        Assert.DoesNotContain(needs, id => id.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase)
            || id.Contains("cuda", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(["net10.0"],
            nuspec.Descendants().Where(node => node.Name.LocalName == "group")
            .Select(node => (string)node.Attribute("targetFramework")!));
        Assert.Equal("README.md", nuspec.Descendants().Single(node => node.Name.LocalName == "readme").Value);
        Assert.Equal("MIT", nuspec.Descendants().Single(node => node.Name.LocalName == "license").Value);
    }

    [Fact]
    public void The_package_contains_no_path_of_the_build_machine()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        foreach (var (name, bytes) in files.Where(file => !file.Key.EndsWith(".dll", StringComparison.Ordinal)))
            foreach (var path in new[] { Repository.Root, home, folder.Path })
                Assert.False(Encoding.UTF8.GetString(bytes).Contains(path, StringComparison.Ordinal), $"{name} names {path}.");
    }

    /// <summary>
    /// The host compiles a kit that is not loaded yet: what throws before the first <c>try</c> would not be seen.
    /// </summary>
    [Fact]
    public void The_extension_is_one_block_that_declares_no_global_names()
    {
        var code = Text("interactive-extensions/dotnet/extension.dib").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("#!csharp", code[0].TrimEnd());
        Assert.Equal(["{", "}"], code.Skip(1).Where(line => line[0] is not (' ' or '/')).Select(line => line.TrimEnd()));
        // the host would show it
        Assert.DoesNotContain(code, line => line.TrimStart().StartsWith("return ", StringComparison.Ordinal));
    }

    private string Text(string name) => Encoding.UTF8.GetString(files[name]).TrimStart('\ufeff');
}
