using ResearchKit.Layers;

namespace ResearchKit.Formatting;

/// <summary>
/// An entry in the outline of a model. Adjacent modules with the same structure share one entry, such as twelve
/// blocks.
/// </summary>
/// <param name="Label">Name of the module, or the first and last name of a group: <c>0 … 11</c>.</param>
/// <param name="Alike">Number of modules in the group.</param>
/// <param name="First">The first module of the group.</param>
/// <param name="Parameters">Number of parameters of the whole group.</param>
/// <param name="Children">Entries of the child modules.</param>
internal sealed record ModuleOutline(string Label, int Alike, ModuleSummary First, long Parameters,
    IReadOnlyList<ModuleOutline> Children)
{
    public static ModuleOutline Of(ModuleSummary module) => new(module.Name, 1, module, module.ParameterCount, Below(module));

    /// <summary>Description after the name: the class, and the number of modules if more than one.</summary>
    public string Kind => Alike == 1 ? First.Type : $"{Alike} × {First.Type}";

    /// <summary>Returns all hints in the tree.</summary>
    public IEnumerable<string> Hints() =>
        (First.Hint is { } hint ? [hint] : Array.Empty<string>()).Concat(Children.SelectMany(child => child.Hints()));

    private static List<ModuleOutline> Below(ModuleSummary module)
    {
        var entries = new List<ModuleOutline>();
        var signatures = module.Children.Select(Signature).ToList();
        for (var start = 0; start < module.Children.Count;)
        {
            var end = start + 1;
            while (end < module.Children.Count && signatures[end] == signatures[start]) end++;
            var first = module.Children[start];
            var last = module.Children[end - 1];
            var label = end - start == 1 ? first.Name : $"{first.Name} … {last.Name}";
            var parameters = module.Children.Skip(start).Take(end - start).Sum(child => child.ParameterCount);
            entries.Add(new ModuleOutline(label, end - start, first, parameters, Below(first)));
            start = end;
        }
        return entries;
    }

    private static string Signature(ModuleSummary module) =>
        $"{module.Type}({string.Join(',', module.Own.Concat(module.Buffers))}){module.Hint}"
        + $"{{{string.Join(';', module.Children.Select(child => $"{child.Name}:{Signature(child)}"))}}}";
}
