namespace ResearchKit.Checkpoints.PyTorch;

/// <summary>
/// Names the tensors of a whole module, as <c>torch.save(model)</c> and TorchScript store it, as its state dict would.
/// </summary>
internal static class ModuleTensors
{
    private const string Parameters = "_parameters", Buffers = "_buffers", Modules = "_modules",
        NotPersistent = "_non_persistent_buffers_set";

    private const int Deepest = 64, MostVisits = 1 << 20;

    /// <summary>Returns whether an object is a module of PyTorch or of TorchScript.</summary>
    public static bool IsModule(PickledObject value) => Attributes(value) is { } attributes
        && (IsScript(value) || (attributes.Items.ContainsKey(Parameters) && attributes.Items.ContainsKey(Modules)));

    /// <summary>Returns the parameters and persistent buffers by name, and the names of those that cannot be read.</summary>
    /// <exception cref="InvalidDataException">The module holds more modules than a model can have.</exception>
    public static (List<(string Name, PickledTensor Tensor)> Tensors, List<(string Name, string What)> PassedOver) Of(string file,
        PickledObject module)
    {
        var tensors = new List<(string, PickledTensor)>();
        var passed = new List<(string, string)>();
        var visits = 0;
        Visit(module, "", 0);
        return (tensors, passed);

        void Visit(PickledObject current, string prefix, int depth)
        {
            if (depth > Deepest || ++visits > MostVisits)
                throw new InvalidDataException($"{file} holds a module with more than {MostVisits} modules or {Deepest} levels.");
            var items = Attributes(current)!.Items;
            if (IsScript(current))
            {
                foreach (var (key, value) in items) Take($"{prefix}{key}", value);
                foreach (var (key, value) in items)
                    if (value is PickledObject child && IsModule(child)) Visit(child, $"{prefix}{key}.", depth + 1);
                return;
            }
            var passing = Names(items.GetValueOrDefault(NotPersistent));
            foreach (var (key, value) in Dict(items, Parameters).Concat(Dict(items, Buffers).Where(pair =>
                !passing.Contains(pair.Key))))
                Take($"{prefix}{key}", value);
            foreach (var (key, value) in Dict(items, Modules))
                if (value is PickledObject child && IsModule(child)) Visit(child, $"{prefix}{key}.", depth + 1);
        }

        void Take(string name, object? value)
        {
            if (value is PickledTensor tensor) tensors.Add((name, tensor));
            else if (value is UnreadTensor unread) passed.Add((name, unread.What));
        }
    }

    private static bool IsScript(PickledObject value) => value.Type.StartsWith("__torch__.", StringComparison.Ordinal);

    private static PickledDict? Attributes(PickledObject value) => value.State as PickledDict;

    private static IReadOnlyDictionary<object, object?> Dict(IReadOnlyDictionary<object, object?> items, string name) =>
        items.GetValueOrDefault(name) is PickledDict dict ? dict.Items : new PickledDict().Items;

    private static HashSet<object?> Names(object? set) => set switch
    {
        PickledList list => [.. list.Items],
        PickledObject { Arguments: [PickledList list, ..] } => [.. list.Items],
        _ => [],
    };
}
