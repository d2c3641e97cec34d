using System.Text.Json;
using System.Text.Json.Nodes;

namespace ResearchKit.Kernel.Packages;

/// <summary>The packages and projects that are part of the kernel, according to its .deps.json.</summary>
internal static class CarriedPackages
{
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Found = new(Find);

    /// <summary>The version of each package, by package id.</summary>
    public static IReadOnlyDictionary<string, string> Versions => Found.Value;

    private static Dictionary<string, string> Find()
    {
        var versions = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var files = (AppContext.GetData("APP_CONTEXT_DEPS_FILES") as string ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries);
        foreach (var file in files.Where(File.Exists))
            foreach (var (name, _) in Libraries(file))
                if (name.Split('/') is [var id, var version]) versions.TryAdd(id, version);
        return versions;
    }

    /// <summary>
    /// Returns whether a package only contains native libraries of libtorch, which the kernel has already.
    /// </summary>
    public static bool IsNativeLibrary(string id) =>
        id.StartsWith("TorchSharp-c", StringComparison.OrdinalIgnoreCase)
            || id.StartsWith("libtorch-c", StringComparison.OrdinalIgnoreCase);

    private static JsonObject Libraries(string file)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(file))?["libraries"] as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];   // not readable: assume that the kernel contains no packages
        }
    }
}
