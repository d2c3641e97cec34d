namespace ResearchKit.Checkpoints;

/// <summary>Which differences between a file and a model are accepted.</summary>
internal sealed record NameTolerance
{
    /// <summary>Tensors of the model that keep their initial values if the file lacks them or has another size.</summary>
    public Func<string, bool> MayBeNew { get; init; } = _ => false;

    /// <summary>Tensors of the model that are computed from the file's of another size.</summary>
    public Func<string, bool> MayBeResized { get; init; } = _ => false;

    /// <summary>Whether any tensor of another size keeps its initial values.</summary>
    public bool IgnoreMismatched { get; init; }

    /// <summary>Says how to get a new head, if one of these names is missing or has another size; null for no advice.</summary>
    public Func<IEnumerable<string>, string?> Advice { get; init; } = _ => null;
}

/// <summary>How the tensors of a file fill a model.</summary>
internal sealed record NameMatching
{
    /// <summary>The file's name for each of the model's names that the file fills.</summary>
    public Dictionary<string, string> Files { get; } = [];

    /// <summary>Names of the model whose tensors have another size in the file and are computed from it.</summary>
    public HashSet<string> Resized { get; } = [];

    /// <summary>Names of the model that keep their initial values, with the reason.</summary>
    public List<(string Name, string Why)> New { get; } = [];

    /// <summary>Names of the file that the model does not use.</summary>
    public List<string> LeftOut { get; } = [];

    /// <summary>What was taken off the file's names; null for nothing.</summary>
    public string? Prefix { get; set; }

    /// <summary>What does not fit, with the model's name where there is one.</summary>
    public List<(string? Name, string Problem)> Problems { get; } = [];
}
