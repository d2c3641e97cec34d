using System.IO.Enumeration;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Rules that relate the tensor names of an architecture's published files to the names in the kit's model.
/// </summary>
internal sealed record NameRules
{
    private static readonly (string Old, string New)[] OldEndings =
        [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

    /// <summary>
    /// Prefix of the base model's names in files of a model with a head, absent in files of the base model:
    /// <c>transformer.</c>.
    /// </summary>
    public string Prefix { get; init; } = "";

    /// <summary>
    /// Prefixes of the head's names, before which <see cref="Prefix"/> is never put: <c>lm_head.</c>.
    /// </summary>
    public IReadOnlyList<string> Heads { get; init; } = [];

    /// <summary>Names in a file to ignore, without the prefix; * matches anything.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>
    /// Names of the model that a file may lack; such tensors keep their initial values. * matches anything.
    /// </summary>
    public IReadOnlyList<string> Optional { get; init; } = [];

    /// <summary>
    /// Pairs of names of the same tensor (tied weights), without the prefix; a file holds one of the names or both.
    /// </summary>
    public IReadOnlyList<(string Alias, string Source)> Tied { get; init; } = [];

    /// <summary>Returns the model's names that a file's name could refer to, the likeliest first.</summary>
    public IEnumerable<string> Candidates(string fileName)
    {
        var name = OldEndings.Where(ending => fileName.EndsWith(ending.Old, StringComparison.Ordinal))
            .Select(ending => fileName[..^ending.Old.Length] + ending.New).FirstOrDefault(fileName);
        yield return name;
        if (Prefix.Length == 0) yield break;
        if (name.StartsWith(Prefix, StringComparison.Ordinal)) yield return name[Prefix.Length..];
        else yield return Prefix + name;
    }

    /// <summary>Returns whether to ignore a name in a file.</summary>
    public bool Ignores(string fileName) => IsOneOf(Ignored, WithoutPrefix(fileName));

    /// <summary>Returns whether a file may lack one of the model's names.</summary>
    public bool IsOptional(string modelName) => IsOneOf(Optional, modelName);

    /// <summary>Returns the other names of the same (tied) tensor.</summary>
    public IEnumerable<string> TiedNames(string modelName)
    {
        var bare = WithoutPrefix(modelName);
        var sources = Tied.Where(pair => pair.Alias == bare || pair.Source == bare).Select(pair => pair.Source).ToHashSet();
        return Tied.Where(pair => sources.Contains(pair.Source)).SelectMany(pair => new[] { pair.Source, pair.Alias }).Distinct()
            .Where(name => name != bare);
    }

    /// <summary>
    /// Returns the model's names without aliases of a tensor that is among them under its other name.
    /// </summary>
    public IEnumerable<string> WithoutAliases(IReadOnlyCollection<string> modelNames)
    {
        var bare = modelNames.Select(WithoutPrefix).ToHashSet();
        return modelNames.Where(name => !Tied.Any(pair => pair.Alias == WithoutPrefix(name) && bare.Contains(pair.Source)));
    }

    /// <summary>Returns the name that a file of a model with a head uses for one of the model's names.</summary>
    public string Published(string modelName) =>
        modelName.StartsWith(Prefix, StringComparison.Ordinal)
            || Heads.Any(head => modelName.StartsWith(head, StringComparison.Ordinal)) ? modelName : Prefix + modelName;

    /// <summary>Returns a name without the prefix.</summary>
    public string WithoutPrefix(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;

    private static bool IsOneOf(IReadOnlyList<string> patterns, string name) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
}
