using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>One cell of a sweep: an activation of one layer, at one position or of one head, that is patched.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Place">Name of the hook point.</param>
/// <param name="Position">The position that is patched; null for all, or for <paramref name="Positions"/>.</param>
/// <param name="Head">The head that is patched; null for all.</param>
/// <param name="Positions">The positions that are patched in a cell of a head; null for all.</param>
internal sealed record PatchCell(int Layer, string Place, int? Position, int? Head, IReadOnlyList<int>? Positions = null)
{
    /// <summary>The first position that the patch can change.</summary>
    public int Start => Position ?? Positions?.Min() ?? 0;

    /// <summary>Writes the source's values into the rows of this cell.</summary>
    /// <param name="rows">Activation of the rows, from position <paramref name="start"/> on; changed in place.</param>
    /// <param name="source">The activation of the source run at all positions.</param>
    /// <param name="start">First position of the rows.</param>
    public void Write(Tensor rows, Tensor source, int start)
    {
        if (Head is { } head)
        {
            rows = rows.select(1, head);
            source = source.select(1, head);          // [example, time, ...]
        }
        var axis = Head is null && rows.dim() == 4 ? 2 : 1;
        foreach (var position in Position is { } one ? [one] : Positions ?? [])
            rows.select(axis, position - start).copy_(source.select(axis, position));
        if (Position is null && Positions is null) rows.copy_(source.narrow(axis, start, source.shape[axis] - start));
    }
}
