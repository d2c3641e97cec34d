using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Packages;

/// <summary>
/// Processes the <c>#r</c> lines of cells, which reference packages or assemblies, and the <c>#i</c> lines,
/// which add package sources.
/// </summary>
internal sealed partial class ReferenceDirectives(string folder)
{
    private readonly Dictionary<string, PackageRequest> requested = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> sources = new(StringComparer.Ordinal);
    private readonly HashSet<string> extended = new(StringComparer.Ordinal);
    private readonly HashSet<string> referenced = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Restores the packages of a cell. Returns the cell with these lines blanked, the new references, and the
    /// extension notebooks of packages, each only once per session.
    /// </summary>
    public async Task<(string Code, IReadOnlyList<MetadataReference> Added, IReadOnlyList<string> Extensions)> ApplyAsync(
        string code, Action<string> note, CancellationToken cancellation)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var added = new List<MetadataReference>();
        var wanted = new List<PackageRequest>();
        var firstLine = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (Directive().Match(lines[i]) is not { Success: true } match) continue;
            lines[i] = "";
            var target = match.Groups["target"].Value.Trim();
            if (match.Groups["kind"].Value == "i")
            {
                sources.Add(Source(target, i + 1));
                continue;
            }
            if (!target.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
                added.AddRange(Reference([FindFile(target, i + 1)]));
            else if (PackageRequest.Parse(target, i + 1) is var package && IsSatisfied(package, note))
            {
                if (CSharpDefaults.Assemblies.TryGetValue(package.Id, out var carried)) added.AddRange(Reference([carried]));
            }
            else
            {
                wanted.Add(package);
                firstLine = firstLine == 0 ? i + 1 : firstLine;
            }
        }
        if (wanted.Count == 0) return (string.Join('\n', lines), added, []);
        var assets = await RestoreAsync(wanted, firstLine, cancellation).ConfigureAwait(false);
        added.AddRange(Reference(assets.Compile));
        return (string.Join('\n', lines), added, [.. assets.Extensions.Where(extended.Add)]);
    }

    private bool IsSatisfied(PackageRequest package, Action<string> note)
    {
        if (CarriedPackages.Versions.TryGetValue(package.Id, out var loaded))
        {
            if (package.Version is { } version && version != loaded && !version.Contains('*', StringComparison.Ordinal))
                note($"{package.Id} {version} was asked for; this kernel carries {loaded}, which is used.");
            return true;
        }
        // libtorch is loaded already, and a process can have only one
        if (CarriedPackages.IsNativeLibrary(package.Id)) return true;
        return requested.TryGetValue(package.Id, out var earlier) && (package.Version is null || earlier == package);
    }

    /// <summary>Restores all packages of the session together, so that their versions agree.</summary>
    private async Task<PackageAssets> RestoreAsync(List<PackageRequest> wanted, int line, CancellationToken cancellation)
    {
        var all = new Dictionary<string, PackageRequest>(requested, StringComparer.OrdinalIgnoreCase);
        foreach (var package in wanted) all[package.Id] = package;
        var assets = await PackageRestore.RunAsync([.. all.Values], [.. sources], folder, line, cancellation)
            .ConfigureAwait(false);
        foreach (var package in wanted) requested[package.Id] = package;
        PackageAssemblies.Add(assets);
        return assets;
    }

    private IEnumerable<MetadataReference> Reference(IEnumerable<string> paths) => paths
        // if the process has this assembly already, its own file is referenced
        .Select(path => CSharpDefaults.Assemblies.GetValueOrDefault(Path.GetFileNameWithoutExtension(path), path))
        .Where(path => !CSharpDefaults.References.Any(reference => reference.Display == path) && referenced.Add(path))
        .Select(path => MetadataReference.CreateFromFile(path));

    private string Source(string target, int line)
    {
        if (!target.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase)
            || target["nuget:".Length..].Trim() is not { Length: > 0 } place)
            throw CellException.Plain("PackageError",
                $"({line},1): '{target}' names no package source; expected #i \"nuget: folder or address\".", line);
        if (Uri.TryCreate(place, UriKind.Absolute, out var address) && !address.IsFile) return place;
        var path = Path.GetFullPath(place, folder);
        return Directory.Exists(path) ? path
            : throw CellException.Plain("PackageError", $"({line},1): #i \"{target}\": there is no folder {path}.", line);
    }

    private string FindFile(string target, int line)
    {
        var path = Path.GetFullPath(target, folder);
        if (!File.Exists(path))
            throw CellException.Plain("FileNotFound", $"({line},1): #r \"{target}\": there is no file {path}.", line);
        PackageAssemblies.AddFile(path);
        return path;
    }

    [GeneratedRegex("""^\s*#(?<kind>[ri])\s+"(?<target>[^"]+)"\s*;?\s*(//.*)?$""")]
    private static partial Regex Directive();
}
