using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Packages;

/// <summary>The files of restored packages for this machine.</summary>
/// <param name="Compile">Assemblies to compile against.</param>
/// <param name="Runtime">Assemblies to load.</param>
/// <param name="Native">Native libraries to load.</param>
/// <param name="Extensions">
/// The <c>extension.dib</c> notebooks of packages, which run once when the package is added.
/// </param>
internal sealed record PackageAssets(
    IReadOnlyList<string> Compile, IReadOnlyList<string> Runtime, IReadOnlyList<string> Native, IReadOnlyList<string> Extensions)
{
    /// <summary>Reads <c>project.assets.json</c>, the result of a restore.</summary>
    public static PackageAssets Read(string path, string runtime)
    {
        var root = JsonNode.Parse(File.ReadAllText(path)) as JsonObject
            ?? throw new InvalidDataException($"{path}: expected a JSON object, as dotnet restore writes.");
        var folders = (root["packageFolders"] as JsonObject ?? []).Select(folder => folder.Key).ToList();
        var target = (root["targets"] as JsonObject ?? [])
            .Where(entry => entry.Key.EndsWith($"/{runtime}", StringComparison.Ordinal)).Select(entry => entry.Value)
                .FirstOrDefault() as JsonObject
            ?? throw new InvalidDataException($"{path}: expected a target for the runtime {runtime}, found none.");
        var files = new PackageFiles(folders, root["libraries"] as JsonObject ?? []);
        return new PackageAssets(files.All(target, "compile"), files.All(target, "runtime"), files.All(target, "native"),
            files.Extensions(target));
    }

    private sealed class PackageFiles(List<string> folders, JsonObject libraries)
    {
        public List<string> All(JsonObject target, string kind) =>
        [
            .. from package in target
               where (string?)package.Value?["type"] == "package"
               from asset in package.Value![kind] as JsonObject ?? []
               where !asset.Key.EndsWith("_._", StringComparison.Ordinal)
               let file = Find(package.Key, asset.Key)
               where file is not null
               select file,
        ];

        /// <summary>Returns the extension notebooks of packages, at the path that .NET Interactive uses too.</summary>
        public List<string> Extensions(JsonObject target) =>
            [.. target.Select(package => Find(package.Key, Path.Combine("interactive-extensions", "dotnet", "extension.dib")))
                .OfType<string>()];

        private string? Find(string package, string file)
        {
            var place = Path.Combine((string?)libraries[package]?["path"] ?? package, file);
            return folders.Select(folder => Path.GetFullPath(Path.Combine(folder, place))).FirstOrDefault(File.Exists);
        }
    }
}
