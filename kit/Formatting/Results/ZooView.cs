using ResearchKit.Models;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Shows the list of published models as a table.</summary>
internal static class ZooView
{
    public static ResultTable Table(ZooTable zoo) => new(
        ["model", "parameters", "GFLOPs", "per", "at", "licence", "source", "files"],
        [.. zoo.Entries.Select(entry => (IReadOnlyList<object?>)
        [
            entry.Name, entry.Parameters, Math.Round(entry.Flops / 1e9, 2), entry.Unit, entry.Input, entry.Licence, entry.Source,
            string.Join(", ", entry.Files),
        ])]);
}
