using System.IO.Enumeration;

namespace ResearchKit.Checkpoints;

/// <summary>
/// How the tensor names of published files of an architecture and the names of the kit's model belong together.
/// </summary>
internal sealed record NameRules
{
    private static readonly (string Old, string New)[] OldEndings =
        [("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")];

    /// <summary>
    /// What files of a model with a head put before the names of its base, and files of the base do not: <c>transformer.</c>.
    /// </summary>
    public string Prefix { get; init; } = "";

    /// <summary>Beginnings of the model's names that never have the prefix: <c>lm_head.</c>.</summary>
    public IReadOnlyList<string> Heads { get; init; } = [];

    /// <summary>Names that files may have and no model needs, without the prefix; * stands for anything.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>
    /// Names of the model that files may lack, whose tensors then stay as they were made; * stands for anything.
    /// </summary>
    public IReadOnlyList<string> Optional { get; init; } = [];

    /// <summary>Names for one tensor, without the prefix: files hold one of them or all.</summary>
    public IReadOnlyList<(string Alias, string Source)> Tied { get; init; } = [];

    /// <summary>The names of the model that a file's name could mean, the likeliest first.</summary>
    public IEnumerable<string> Candidates(string fileName)
    {
        var name = OldEndings.Where(ending => fileName.EndsWith(ending.Old, StringComparison.Ordinal))
            .Select(ending => fileName[..^ending.Old.Length] + ending.New).FirstOrDefault(fileName);
        yield return name;
        if (Prefix.Length == 0) yield break;
        if (name.StartsWith(Prefix, StringComparison.Ordinal)) yield return name[Prefix.Length..];
        else yield return Prefix + name;
    }

    /// <summary>Whether a file's name is one to ignore.</summary>
    public bool Ignores(string fileName) => IsOneOf(Ignored, WithoutPrefix(fileName));

    /// <summary>Whether a file may lack a model's name.</summary>
    public bool IsOptional(string modelName) => IsOneOf(Optional, modelName);

    /// <summary>The other names of the tensor that a model's name means.</summary>
    public IEnumerable<string> TiedNames(string modelName)
    {
        var bare = WithoutPrefix(modelName);
        var sources = Tied.Where(pair => pair.Alias == bare || pair.Source == bare).Select(pair => pair.Source).ToHashSet();
        return Tied.Where(pair => sources.Contains(pair.Source)).SelectMany(pair => new[] { pair.Source, pair.Alias }).Distinct()
            .Where(name => name != bare);
    }

    /// <summary>The model's names but for those that are another name of a tensor among them.</summary>
    public IEnumerable<string> WithoutAliases(IReadOnlyCollection<string> modelNames)
    {
        var bare = modelNames.Select(WithoutPrefix).ToHashSet();
        return modelNames.Where(name => !Tied.Any(pair => pair.Alias == WithoutPrefix(name) && bare.Contains(pair.Source)));
    }

    /// <summary>The name that a file with a head has for a model's name.</summary>
    public string Published(string modelName) =>
        modelName.StartsWith(Prefix, StringComparison.Ordinal)
            || Heads.Any(head => modelName.StartsWith(head, StringComparison.Ordinal)) ? modelName : Prefix + modelName;

    /// <summary>A name without the prefix.</summary>
    public string WithoutPrefix(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : name;

    private static bool IsOneOf(IReadOnlyList<string> patterns, string name) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
}
