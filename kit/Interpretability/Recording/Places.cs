using System.IO.Enumeration;
using ResearchKit.Layers;
using ResearchKit.Metrics;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>A module of a model whose output can be recorded and edited, with its name.</summary>
internal sealed record Place(string Name, Module<Tensor, Tensor> Module)
{
    /// <summary>Whether the place is a hook point, whose input and output are the same activation.</summary>
    public bool IsHookPoint => Module is HookPoint;
}

/// <summary>Finds the places of a model by name, pattern or filter.</summary>
internal static class Places
{
    private const int Shown = 20, Near = 3;

    /// <summary>All places of a model, in the order of its module tree.</summary>
    public static List<Place> Of(nn.Module model) => [.. model.named_modules()
        .Where(pair => pair.module is Module<Tensor, Tensor>)
        .Select(pair => new Place(pair.name, (Module<Tensor, Tensor>)pair.module))];

    /// <summary>Places that match names or patterns, where <c>*</c> stands for any characters and <c>?</c> for one.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="patterns">Names or patterns; each must match a place. Empty for all hook points.</param>
    /// <exception cref="KeyNotFoundException">A pattern matches no place; the message lists the nearest names.</exception>
    public static List<Place> Matching(nn.Module model, IReadOnlyList<string> patterns)
    {
        var all = Of(model);
        foreach (var pattern in patterns)
            if (!all.Any(place => Matches(pattern, place.Name))) throw Unknown(model, pattern, all);
        return [.. all.Where(place => patterns.Count == 0 ? place.IsHookPoint
            : patterns.Any(pattern => Matches(pattern, place.Name)))];
    }

    /// <summary>The place of an exact name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists the nearest names.</exception>
    public static Place Named(nn.Module model, string name)
    {
        var all = Of(model);
        return all.Find(place => place.Name == name) ?? throw Unknown(model, name, all);
    }

    /// <summary>Names as text, shortened if there are many.</summary>
    public static string Some(IEnumerable<string> names)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(Shown)) + (all.Count > Shown ? $" and {all.Count - Shown} more" : "");
    }

    /// <summary>The known names that are nearest to an unknown one.</summary>
    public static string Nearest(string name, IEnumerable<string> known)
    {
        var near = known.OrderBy(other => EditDistance.Between<char>([.. name], [.. other])).Take(Near).ToList();
        return near.Count == 0 ? "there is none" : $"the nearest {(near.Count == 1 ? "is" : "are")} {string.Join(", ", near)}";
    }

    private static bool Matches(string pattern, string name) =>
        FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false);

    private static KeyNotFoundException Unknown(nn.Module model, string name, List<Place> all)
    {
        var points = all.Where(place => place.IsHookPoint).Select(place => place.Name).ToList();
        var known = name.Contains("hook_", StringComparison.Ordinal) && points.Count > 0 ? points
            : all.ConvertAll(place => place.Name);
        return new($"{model.GetName()} has no place '{name}'; {Nearest(name, known)}.");
    }
}
