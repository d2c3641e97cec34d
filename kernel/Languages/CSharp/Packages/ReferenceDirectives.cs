using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace ResearchKit.Kernel.Languages.CSharp.Packages;

/// <summary>A cell's <c>#r</c> lines, packages and assemblies that it wants, and its <c>#i</c> lines, where packages may be found too.</summary>
internal sealed partial class ReferenceDirectives(string folder)
{
    private readonly Dictionary<string, PackageRequest> requested = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> sources = [];
    private readonly HashSet<string> referenced = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Fetches what the cell asks for, and blanks the lines that asked.</summary>
    public async Task<(string Code, IReadOnlyList<MetadataReference> Added)> ApplyAsync(
        string code, Action<string> note, CancellationToken cancellation)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var added = new List<MetadataReference>();
        var wanted = new List<PackageRequest>();
        var firstLine = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            if (Source().Match(lines[i]) is { Success: true } source)
            {
                lines[i] = "";
                var place = source.Groups["place"].Value.Trim();
                sources.Add(Uri.TryCreate(place, UriKind.Absolute, out _) ? place : Path.GetFullPath(place, folder));
                continue;
            }
            if (Directive().Match(lines[i]) is not { Success: true } match) continue;
            lines[i] = "";
            var target = match.Groups["target"].Value.Trim();
            if (!target.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
                added.AddRange(Reference([FindFile(target, i + 1)]));
            else if (PackageRequest.Parse(target, i + 1) is var package && !IsSatisfied(package, note))
            {
                wanted.Add(package);
                firstLine = firstLine == 0 ? i + 1 : firstLine;
            }
        }
        if (wanted.Count > 0) added.AddRange(Reference(await RestoreAsync(wanted, firstLine, cancellation).ConfigureAwait(false)));
        return (string.Join('\n', lines), added);
    }

    private bool IsSatisfied(PackageRequest package, Action<string> note)
    {
        if (CarriedPackages.Versions.TryGetValue(package.Id, out var loaded))
        {
            if (package.Version is { } version && version != loaded && !version.Contains('*', StringComparison.Ordinal))
                note($"{package.Id} {version} was asked for; this kernel carries {loaded}, which is used.");
            return true;
        }
        return requested.TryGetValue(package.Id, out var earlier) && (package.Version is null || earlier == package);
    }

    /// <summary>Restores everything asked for so far together, so that the versions agree.</summary>
    private async Task<IReadOnlyList<string>> RestoreAsync(List<PackageRequest> wanted, int line, CancellationToken cancellation)
    {
        var all = new Dictionary<string, PackageRequest>(requested, StringComparer.OrdinalIgnoreCase);
        foreach (var package in wanted) all[package.Id] = package;
        var assets = await PackageRestore.RunAsync([.. all.Values], sources, folder, line, cancellation).ConfigureAwait(false);
        foreach (var package in wanted) requested[package.Id] = package;
        PackageAssemblies.Add(assets);
        return assets.Compile;
    }

    private IEnumerable<MetadataReference> Reference(IEnumerable<string> paths) => paths
        .Where(path => !CSharpDefaults.Assemblies.ContainsKey(Path.GetFileNameWithoutExtension(path)) && referenced.Add(path))
        .Select(path => MetadataReference.CreateFromFile(path));

    private string FindFile(string target, int line)
    {
        var path = Path.GetFullPath(target, folder);
        if (!File.Exists(path)) throw CellException.Plain("FileNotFound", $"({line},1): #r \"{target}\": there is no file {path}.", line);
        PackageAssemblies.AddFile(path);
        return path;
    }

    [GeneratedRegex("""^\s*#i\s+"nuget:(?<place>[^"]+)"\s*;?\s*(//.*)?$""", RegexOptions.IgnoreCase)]
    private static partial Regex Source();

    [GeneratedRegex("""^\s*#r\s+"(?<target>[^"]+)"\s*;?\s*(//.*)?$""")]
    private static partial Regex Directive();
}
