namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Chooses the state dict in an unpickled object, which may also hold an optimizer, averaged weights, settings and counters.
/// </summary>
internal static class StateDictSearch
{
    private const int MostNamed = 10;                    // in one message
    private const double Beside = 0.1;                   // of the elements: so little is no second model

    /// <summary>Names under which programs save the model's own state dict.</summary>
    private static readonly HashSet<string> Usual = new(StringComparer.OrdinalIgnoreCase)
    {
        "state_dict", "model_state_dict", "model_state", "model", "module", "net", "network", "weights", "params",
    };

    /// <summary>Words in the names of what programs save beside the model.</summary>
    private static readonly HashSet<string> Companions = new(StringComparer.OrdinalIgnoreCase)
    {
        "ema", "swa", "averaged", "average", "shadow", "rng", "random", "seed", "scaler", "amp", "callbacks", "callback", "hyper",
        "hparams", "loops", "criterion", "loss", "losses", "metric", "metrics", "stats", "history", "config", "args", "sampler",
        "loader", "optimizer", "optimizers", "optimiser", "optim", "opt", "scheduler", "schedulers", "sched",
    };

    /// <summary>Returns the tensors of a state dict, and what the file holds beside them.</summary>
    /// <param name="path">Path of the file, for error messages.</param>
    /// <param name="root">The unpickled object.</param>
    /// <param name="key">Name of the state dict; null for the one that is plainly the model's; "" for all together.</param>
    /// <exception cref="InvalidDataException">There is no such state dict, or several could be meant.</exception>
    public static StateDictCandidate Find(string path, object? root, string? key)
    {
        if (root is PickledTensor) throw new InvalidDataException($"{path} holds a single tensor; expected a dict of tensors.");
        var candidates = StateDictCandidates.Of(path, root);
        if (candidates.Count == 0)
            return root is PickledDict { Items.Count: 0 } and not PickledObject && key is null ? new StateDictCandidate("",
                false, [], [])
                : throw new InvalidDataException($"{path} holds no tensors{Instead(root)}.");
        return key is null ? Choose(path, candidates) : Named(path, candidates, key);
    }

    private static StateDictCandidate Named(string path, List<StateDictCandidate> candidates, string key)
    {
        if (candidates.Find(candidate => candidate.Path == key) is { } exact && key.Length > 0) return exact;
        var ending = candidates.Where(candidate => candidate.Path.EndsWith($".{key}", StringComparison.Ordinal)).ToList();
        if (ending.Count == 1) return ending[0];
        return Together(candidates, key) ?? throw new InvalidDataException(
            $"{path} has {(ending.Count > 1 ? "several state dicts" : "no state dict")} '{key}'; it has {List(candidates)}.");
    }

    /// <summary>Returns all state dicts below a key as one, whose names begin with theirs.</summary>
    private static StateDictCandidate? Together(List<StateDictCandidate> candidates, string key)
    {
        var start = key.Length == 0 ? "" : $"{key}.";
        var below = candidates.Where(candidate => !candidate.IsNumbered
            && (candidate.Path == key || candidate.Path.StartsWith(start, StringComparison.Ordinal))).ToList();
        if (below.Count == 0) return null;
        return new StateDictCandidate(key, false,
            [.. below.SelectMany(candidate => candidate.Tensors.Select(pair =>
                (candidate.Path == key ? pair.Name : $"{candidate.Path[start.Length..]}.{pair.Name}", pair.Tensor)))],
            [.. below.SelectMany(candidate => candidate.PassedOver)]);
    }

    private static StateDictCandidate Choose(string path, List<StateDictCandidate> candidates)
    {
        var distinct = candidates.DistinctBy(candidate => candidate.Tensors, ReferenceEqualityComparer.Instance).ToList();
        var left = Preferring(distinct, candidate => !candidate.IsNumbered);
        left = Preferring(left, candidate => !candidate.Path.Split('.').Any(IsCompanion));
        left = Preferring(left, candidate => candidate.HasFloats);
        left = Preferring(left, candidate => candidate.Tensors.Any(pair => pair.Tensor.Shape.Any(size => size != 1)));
        if (left[0].IsNumbered)   // a tuple of a state dict and more
        {
            var depth = left.Min(Depth);
            left = [.. left.Where(candidate => Depth(candidate) == depth)];
        }
        if (left.Count == 1) return left[0];
        var all = left.Sum(candidate => (double)candidate.Elements);
        if (left.Find(candidate => IsUsual(candidate) && candidate.Elements >= (1 - Beside) * all) is { } plain) return plain;
        // tensors at the top, beside a state dict: a mean, a list of class weights
        if (left.Count == 2 && left.Find(candidate => candidate.Path.Length == 0) is { } top)
        {
            var other = left.Find(candidate => candidate.Path.Length > 0)!;
            if (IsUsual(other) && other.Elements >= top.Elements) return other;
            if (!IsUsual(other) && other.Elements < top.Elements) return top;
        }
        // parts of one model, such as an encoder and a decoder below 'model'
        var parent = left[0].Path.Split('.')[0];
        if (Usual.Contains(parent) && left.All(candidate => candidate.Path.Split('.')[0] == parent)
            && left.All(candidate => candidate.Path.Contains('.', StringComparison.Ordinal))) return Together(left, parent)!;
        throw new InvalidDataException($"{path} has several state dicts: {List(left)}. "
            + $"Choose one with the argument 'key', such as key: \"{left[0].Path}\"; "
            + "key: \"\" takes all, with their names before those of the tensors.");
    }

    private static List<StateDictCandidate> Preferring(List<StateDictCandidate> candidates, Func<StateDictCandidate, bool> better)
    {
        var left = candidates.Where(better).ToList();
        return left.Count > 0 ? left : candidates;
    }

    private static int Depth(StateDictCandidate candidate) => candidate.Path.Count(letter => letter == '.');

    private static bool IsUsual(StateDictCandidate candidate) => Usual.Contains(candidate.Path.Split('.')[^1]);

    private static bool IsCompanion(string name) => name.Split('_', '-', ' ').Any(Companions.Contains);

    private static string List(List<StateDictCandidate> candidates)
    {
        var named = candidates.Where(candidate => !candidate.IsNumbered).DefaultIfEmpty(candidates[0]).ToList();
        return string.Join(", ", named.Take(MostNamed).Select(candidate =>
                $"{(candidate.Path.Length == 0 ? "the top level" : candidate.Path)} "
                + $"({candidate.Tensors.Count} {(candidate.Tensors.Count == 1 ? "tensor" : "tensors")})"))
            + (named.Count > MostNamed ? $" and {named.Count - MostNamed} more" : "");
    }

    private static string Instead(object? root) => root switch
    {
        PickledDict { Items.Count: > 0 } dict =>
            $"; it has {string.Join(", ", dict.Items.Take(MostNamed).Select(pair => $"{StateDictCandidates.KeyOf(pair.Key)}"
                + (StateDictCandidates.Kind(pair.Value) is { } kind ? $" ({kind})" : "")))}",
        null => "; it holds None",
        PickledList => "; it holds a list",
        PickledGlobal name => $"; it holds the name {name}",
        _ => StateDictCandidates.Kind(root) is { } kind ? $"; it holds {kind}" : "; it holds a plain value",
    };
}
