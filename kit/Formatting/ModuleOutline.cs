using ResearchKit.Layers;

namespace ResearchKit.Formatting;

/// <summary>A module in an outline; neighbours that are built alike share one entry, so that twelve blocks read as one.</summary>
/// <param name="Label">Its name, or the first and last of those that are alike: <c>0 … 11</c>.</param>
/// <param name="Alike">How many modules the entry stands for.</param>
/// <param name="First">The first of them.</param>
/// <param name="Parameters">Parameters of all of them together.</param>
/// <param name="Children">The entries below.</param>
internal sealed record ModuleOutline(string Label, int Alike, ModuleSummary First, long Parameters,
    IReadOnlyList<ModuleOutline> Children)
{
    public static ModuleOutline Of(ModuleSummary module) => new(module.Name, 1, module, module.ParameterCount, Below(module));

    /// <summary>What describes the entry after its name: its class, and how many there are.</summary>
    public string Kind => Alike == 1 ? First.Type : $"{Alike} × {First.Type}";

    /// <summary>All hints in the tree.</summary>
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
