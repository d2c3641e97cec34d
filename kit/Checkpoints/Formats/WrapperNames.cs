namespace ResearchKit.Checkpoints;

/// <summary>
/// Takes off what wrappers put before the names of a model's tensors: <c>module.</c> of data-parallel training, <c>_orig_mod.</c>
/// of a compiled model, <c>model.</c> of a trainer that holds the model.
/// </summary>
internal static class WrapperNames
{
    private const int Deepest = 4;   // parts of a prefix

    private static readonly HashSet<string> Wrappers =
        ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"];

    /// <summary>Returns a name without the wrappers anywhere in it; the name itself if it is known.</summary>
    public static string Clean(string name, Func<string, bool> isKnown)
    {
        if (isKnown(name)) return name;
        var parts = name.Split('.');
        return parts.Any(Wrappers.Contains) ? string.Join('.', parts.Where(part => !Wrappers.Contains(part))) : name;
    }

    /// <summary>Returns the wrappers in a name: <c>module._orig_mod.</c>.</summary>
    public static string In(string name) => string.Concat(name.Split('.').Where(Wrappers.Contains).Select(part => $"{part}."));

    /// <summary>Returns the beginnings that many names share, each with its dot, the shortest first.</summary>
    /// <param name="names">Names of a file.</param>
    /// <param name="atLeast">How many names must share a beginning.</param>
    public static IEnumerable<string> Prefixes(IEnumerable<string> names, int atLeast)
    {
        var counts = new Dictionary<string, int>();
        foreach (var name in names)
        {
            var dot = -1;
            for (var depth = 0; depth < Deepest && (dot = name.IndexOf('.', dot + 1)) >= 0; depth++)
                counts[name[..(dot + 1)]] = counts.GetValueOrDefault(name[..(dot + 1)]) + 1;
        }
        return counts.Where(pair => pair.Value >= Math.Max(1, atLeast)).Select(pair => pair.Key).OrderBy(prefix => prefix.Length);
    }

    /// <summary>
    /// Returns the tensors under the names of a model if taking off wrappers, or one common beginning, makes them exactly those;
    /// else the tensors as they are.
    /// </summary>
    public static IReadOnlyDictionary<string, T> Fitting<T>(IReadOnlyDictionary<string, T> tensors, HashSet<string> own)
    {
        var clean = tensors.Select(pair => KeyValuePair.Create(Clean(pair.Key, own.Contains), pair.Value)).ToList();
        foreach (var prefix in Prefixes(clean.Select(pair => pair.Key), tensors.Count).Prepend(""))
            if (clean.Select(pair => pair.Key[prefix.Length..]).ToHashSet() is { } names && names.Count == clean.Count
                && names.SetEquals(own))
                return clean.ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value);
        return tensors;
    }
}
