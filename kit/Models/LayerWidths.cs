namespace ResearchKit.Models;

/// <summary>Widths that differ between the layers of a model, as structured pruning leaves them.</summary>
internal static class LayerWidths
{
    /// <summary>Returns the width of a layer.</summary>
    /// <param name="own">A width for each layer; null if all have the usual one.</param>
    /// <param name="layer">Index of the layer, from 0.</param>
    /// <param name="usual">The usual width.</param>
    public static int At(this IReadOnlyList<int>? own, int layer, int usual) => own is null ? usual : own[layer];

    /// <summary>Throws unless the widths are null, or one of at least 1 for each layer.</summary>
    /// <exception cref="ArgumentException">The number of widths is another, or a width is below 1.</exception>
    public static void Check(IReadOnlyList<int>? own, int layers, string name)
    {
        if (own is not null && (own.Count != layers || own.Any(width => width < 1)))
            throw new ArgumentException($"{name} is [{string.Join(", ", own)}]; expected {layers} numbers of at least 1, "
                + "one for each layer.");
    }

    /// <summary>Returns the widths as text, such as "4, 3, 4".</summary>
    public static string Text(this IReadOnlyList<int>? own) => own is null ? "null" : string.Join(", ", own);
}
