using System.Text.RegularExpressions;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Packages;

/// <summary>A package reference in a cell: <c>#r "nuget: Id, version"</c>.</summary>
internal sealed partial record PackageRequest(string Id, string? Version)
{
    public static PackageRequest Parse(string target, int line)
    {
        var match = Form().Match(target);
        if (!match.Success)
        {
            var message = $"({line},1): '{target}' names no package; expected #r \"nuget: Id\" or #r \"nuget: Id, version\".";
            throw CellException.Plain("PackageError", message, line);
        }
        var version = match.Groups["version"];
        return new PackageRequest(match.Groups["id"].Value, version.Success ? version.Value.Trim() : null);
    }

    [GeneratedRegex(
        @"^nuget:\s*(?<id>[A-Za-z0-9_][A-Za-z0-9_.\-]*)\s*(,\s*(?<version>[\w.\-+*\[\]\(\), ]+?)\s*)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Form();
}
