using System.IO.Compression;
using System.Xml.Linq;
using ResearchKit.Data;
using ResearchKit.Tests.Kernel;

namespace ResearchKit.Tests.Packaging;

/// <summary>What <c>dotnet pack datasets</c> makes, and where the catalogue finds it.</summary>
[Collection(OtherPrograms.Name)]
public sealed class DatasetsPackageTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task It_holds_every_data_set_with_its_licence_and_the_catalogue_finds_it_in_a_cache_of_packages()
    {
        await DotNet.PackAsync("datasets", folder.Path);
        var cache = folder.PathTo("cache");
        var package = Path.Combine(cache, "researchkit.datasets", "1.2.3");
        var packed = Assert.Single(Directory.GetFiles(folder.Path, "ResearchKit.Datasets.*.nupkg"));
        await ZipFile.ExtractToDirectoryAsync(packed, package);
        var assembly = Path.Combine(cache, "researchkit", "1.2.3", "lib", "net10.0", "ResearchKit.dll");
        Directory.CreateDirectory(Path.GetDirectoryName(assembly)!);
        var found = DataSets.InPackages(assembly);
        Assert.Equal(Path.Combine(package, "datasets"), found);
        Assert.All(DataSets.List(), set =>
        {
            (set with { Folder = Path.Combine(found!, set.Name) }).Verify();
            Assert.True(File.Exists(Path.Combine(found!, set.Name, "LICENSE.txt")), set.Name);
        });
        var nuspec = XDocument.Load(Path.Combine(package, "ResearchKit.Datasets.nuspec"));
        Assert.DoesNotContain(nuspec.Descendants(), node => node.Name.LocalName == "dependency");
        Assert.False(Directory.Exists(Path.Combine(package, "lib")));
        var properties = Path.Combine(package, "buildTransitive", "ResearchKit.Datasets.props");
        Assert.Contains("../datasets/**", File.ReadAllText(properties), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_such_a_package_nothing_is_found()
    {
        Assert.Null(DataSets.InPackages(""));
        Assert.Null(DataSets.InPackages(folder.PathTo("researchkit/1.0.0/lib/net10.0/ResearchKit.dll")));
        Assert.Null(DataSets.InPackages("/ResearchKit.dll"));
    }
}
