namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>A dict of tensors in a file, or the tensors of a whole module.</summary>
/// <param name="Path">Keys that lead to it, joined by dots; empty for the top of the file.</param>
/// <param name="IsNumbered">Whether one of the keys is a number, as in an optimizer's state.</param>
/// <param name="Tensors">The tensors by name.</param>
/// <param name="PassedOver">Names in it that hold no tensor that can be read, with what they hold.</param>
internal sealed record StateDictCandidate(string Path, bool IsNumbered, List<(string Name, PickledTensor Tensor)> Tensors,
    List<(string Name, string What)> PassedOver)
{
    /// <summary>Number of all elements.</summary>
    public long Elements => Tensors.Sum(pair => pair.Tensor.Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>Whether a tensor holds floating-point numbers.</summary>
    public bool HasFloats => Tensors.Any(pair => pair.Tensor.Format.Name[0] is 'F' or 'B' && pair.Tensor.Format.Name != "BOOL");
}

/// <summary>Finds all state dicts in an unpickled object.</summary>
internal static class StateDictCandidates
{
    private const int Deepest = 8;   // levels of dicts above a state dict
    private const int MostAliases = 1000;

    /// <summary>Returns all dicts and modules that hold tensors, those nearest to the top first.</summary>
    /// <exception cref="InvalidDataException">A module holds more modules than a model can have.</exception>
    public static List<StateDictCandidate> Of(string file, object? root)
    {
        var found = new List<StateDictCandidate>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var aliases = new List<(object Value, string Path, bool Numbered)>();
        var made = new Dictionary<object, StateDictCandidate>(ReferenceEqualityComparer.Instance);
        var queue = new Queue<(object Value, string Path, int Depth, bool Numbered)>();
        Add(root, "", 0, false);
        while (queue.TryDequeue(out var next))
        {
            if (next.Value is PickledObject module && ModuleTensors.IsModule(module))
            {
                var (tensors, passed) = ModuleTensors.Of(file, module);
                if (tensors.Count > 0) Found(next.Value, new StateDictCandidate(next.Path, next.Numbered, tensors, passed));
                continue;
            }
            var children = Children(next.Value).ToList();
            if (children.Any(pair => pair.Value is PickledTensor))
                Found(next.Value, new StateDictCandidate(next.Path, next.Numbered,
                    [.. children.Where(pair => pair.Value is PickledTensor)
                        .Select(pair => (KeyOf(pair.Key), (PickledTensor)pair.Value!)).DistinctBy(pair => pair.Item1)],
                    [.. children.Where(pair => pair.Key is string && Kind(pair.Value) is not null)
                        .Select(pair => ((string)pair.Key, Kind(pair.Value)!))]));
            foreach (var (key, value) in children.Where(pair => pair.Value is PickledDict or PickledList))
                Add(value, next.Path.Length == 0 ? KeyOf(key) : $"{next.Path}.{KeyOf(key)}", next.Depth + 1,
                    next.Numbered || key is not string);
        }
        foreach (var (value, path, numbered) in aliases)
            if (made.TryGetValue(value, out var same)) found.Add(same with { Path = path, IsNumbered = numbered });
        return found;

        void Found(object value, StateDictCandidate candidate)
        {
            made.Add(value, candidate);
            found.Add(candidate);
        }

        void Add(object? value, string path, int depth, bool numbered)
        {
            if (value is not (PickledDict or PickledList) || depth > Deepest) return;
            if (seen.Add(value)) queue.Enqueue((value, path, depth, numbered));
            else if (aliases.Count < MostAliases) aliases.Add((value, path, numbered));
        }
    }

    /// <summary>Says what a value is that holds no tensor to read; null for plain values.</summary>
    public static string? Kind(object? value) => value switch
    {
        UnreadTensor tensor => tensor.What,
        PickledObject { Type: "numpy.core.multiarray._reconstruct" or "numpy._core.multiarray._reconstruct" } => "a NumPy array",
        PickledObject { Type.Length: > 0 } made => $"an object of {made.Type}",
        PickledObject => "an object",
        _ => null,
    };

    /// <summary>Returns the text of a dict's key.</summary>
    public static string KeyOf(object key) => key switch
    {
        string or long or bool or double => FormattableString.Invariant($"{key}"),
        PickledPlain plain => plain.Text,
        PickledObject made => made.Type,
        _ => "key",
    };

    /// <summary>Returns what a dict, a list or an object holds; the class of a subclass of dict does not matter.</summary>
    private static IEnumerable<KeyValuePair<object, object?>> Children(object value)
    {
        if (value is PickledList list) return list.Items.Select((item, place) => KeyValuePair.Create<object,
            object?>((long)place, item));
        if (value is not PickledObject made) return ((PickledDict)value).Items;
        IEnumerable<object?> parts = [.. made.Arguments, .. made.State is PickledList state ? state.Items : [made.State]];
        return made.Items.Concat(parts.OfType<PickledDict>().Where(part => part is not PickledObject).SelectMany(part =>
            part.Items))
            .Concat((made.Appended ?? []).Select((item, place) => KeyValuePair.Create<object, object?>((long)place, item)))
            .DistinctBy(pair => pair.Key);
    }
}
