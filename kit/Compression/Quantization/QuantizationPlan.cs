using System.IO.Enumeration;
using ResearchKit.Tensors;

namespace ResearchKit.Compression;

/// <summary>Which layers of a model are quantized, and how.</summary>
public sealed record QuantizationPlan
{
    /// <summary>The grid.</summary>
    public QuantizationScheme Scheme { get; init; } = QuantizationScheme.EightBits;

    /// <summary>How codes are chosen.</summary>
    public Rounding Rounding { get; init; } = Rounding.Nearest;

    /// <summary>
    /// Grids of layers by name, <c>*</c> for any text; null leaves a layer as it is. The first that fits counts:
    /// <c>[("*.mlp.*", QuantizationScheme.FourBits())]</c>.
    /// </summary>
    public IReadOnlyList<(string Names, QuantizationScheme? Scheme)> Overrides { get; init; } = [];

    /// <summary>Whether heads are quantized too (<c>head</c>, <c>classifier</c>, <c>pooler</c>); people leave them out.</summary>
    public bool IncludesHeads { get; init; }

    /// <summary>Whether an override names a layer.</summary>
    internal bool Names(string name) =>
        Overrides.Any(one => FileSystemName.MatchesSimpleExpression(one.Names, name, ignoreCase: false));

    /// <summary>The grid of a layer; null where it stays as it is.</summary>
    public QuantizationScheme? SchemeOf(string name)
    {
        foreach (var (names, scheme) in Overrides)
            if (FileSystemName.MatchesSimpleExpression(names, name, ignoreCase: false)) return scheme;
        return HeadNames.Has(name) && !IncludesHeads ? null : Scheme;
    }
}
