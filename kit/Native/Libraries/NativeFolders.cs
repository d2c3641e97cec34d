using System.Reflection;

namespace ResearchKit.Native;

/// <summary>The folders in which a .NET program may have its native libraries.</summary>
internal static class NativeFolders
{
    /// <summary>Returns the existing folders that may contain the libraries, most likely first.</summary>
    /// <param name="platform">As packages name it: linux-x64.</param>
    /// <param name="torchSharp">TorchSharp's assembly, beside which they may be.</param>
    public static IEnumerable<string> Candidates(string platform, Assembly torchSharp)
    {
        var host = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var assembly = Path.GetDirectoryName(torchSharp.Location) ?? AppContext.BaseDirectory;
        string[] beside = [assembly, Path.Combine(assembly, "runtimes", platform, "native"),
            AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", platform, "native")];

        return host.Concat(beside).Concat(InPackageCache(assembly, platform)).Where(Directory.Exists).Distinct();
    }

    /// <summary>
    /// Returns folders of the package cache, from which a notebook host runs TorchSharp:
    /// …/torchsharp/0.107.0/lib/net8.0.
    /// </summary>
    private static IEnumerable<string> InPackageCache(string assembly, string platform)
    {
        var package = Path.GetFullPath(Path.Combine(assembly, "..", ".."));
        var cache = Path.GetFullPath(Path.Combine(package, "..", ".."));
        if (!Directory.Exists(Path.Combine(package, "runtimes"))) yield break;

        yield return Path.Combine(package, "runtimes", platform, "native");
        foreach (var libtorch in Directory.EnumerateDirectories(cache, "libtorch-*").Order(StringComparer.Ordinal))
            yield return Path.Combine(libtorch, NativeLibraries.TorchVersion, "runtimes", platform, "native");
    }
}
