using System.Text.RegularExpressions;

namespace ResearchKit.Tests;

/// <summary>The folders of kit/ and the only arrows allowed between them.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Direct = new()
    {
        ["Native"] = [],
        ["Tensors"] = ["Native"],
        ["Metrics"] = ["Tensors"],
        ["Data"] = ["Tensors"],
        ["Layers"] = ["Tensors"],
        ["Optimizers"] = ["Tensors"],
        ["Models"] = ["Layers"],
        ["Checkpoints"] = ["Tensors", "Models"],
        ["Training"] = ["Optimizers", "Data", "Checkpoints", "Metrics"],
        ["Distributed"] = ["Training"],
        ["Compression"] = ["Layers", "Models", "Training"],
        ["Scaling"] = ["Models"],
        ["Interpretability"] = ["Layers", "Models"],
        ["Formatting"] = ["Native", "Tensors", "Data", "Layers", "Optimizers", "Models", "Checkpoints", "Training", "Distributed",
            "Compression", "Scaling", "Interpretability"],
    };

    [Fact]
    public void Folders_use_only_what_the_table_allows()
    {
        var violations = Files("kit").SelectMany(file => Mentions(File.ReadAllText(file.Path))
            .Where(used => used != file.Folder && !Reach(file.Folder).Contains(used)).Select(used => $"{file.Path} uses {used}"));
        Assert.Empty(violations);
    }

    [Fact]
    public void A_folder_is_a_namespace()
    {
        foreach (var (part, root) in new[] { ("kit", "ResearchKit"), ("kernel", "ResearchKit.Kernel") })
            foreach (var (path, _) in Files(part).Where(file => file.Folder != ""))
            {
                var folders = Path.GetDirectoryName(Path.GetRelativePath(Repository.PathTo(part), path))!.Replace(Path.DirectorySeparatorChar, '.');
                Assert.Contains($"namespace {root}.{folders};", File.ReadAllText(path), StringComparison.Ordinal);
            }
    }

    [Fact]
    public void Every_folder_of_the_kit_is_in_the_table() =>
        Assert.Empty(Files("kit").Select(file => file.Folder).Distinct().Except(Direct.Keys));

    [Fact]
    public void A_planted_violation_would_be_found()
    {
        Assert.Contains("Formatting", Mentions("using ResearchKit.Formatting;"));
        Assert.DoesNotContain("Formatting", Reach("Training"));
        Assert.Contains("Native", Reach("Training"));
    }

    [Fact]
    public void No_file_of_the_product_is_longer_than_300_lines() =>
        Assert.Empty(Files("kit").Concat(Files("kernel")).Where(file => File.ReadLines(file.Path).Count() > 300).Select(file => file.Path));

    /// <summary>What a folder may use: what is allowed, and what that may use.</summary>
    private static HashSet<string> Reach(string folder) => [.. Direct[folder].Concat(Direct[folder].SelectMany(Reach))];

    private static IEnumerable<string> Mentions(string source) => Namespace().Matches(source).Select(match => match.Groups[1].Value).Where(Direct.ContainsKey);

    private static IEnumerable<(string Path, string Folder)> Files(string part)
    {
        var root = Repository.PathTo(part);
        return Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Path: path, Parts: Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar)))
            .Where(file => file.Parts[0] is not ("bin" or "obj" or "StartupHook.cs"))   // which .NET wants outside of every namespace
            .Select(file => (file.Path, file.Parts.Length > 1 ? file.Parts[0] : ""));
    }

    [GeneratedRegex(@"ResearchKit\.(\w+)")]
    private static partial Regex Namespace();
}
