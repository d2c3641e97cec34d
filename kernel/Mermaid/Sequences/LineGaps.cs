using ResearchKit.Mermaid.Layout;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>
/// Keeps the upright lines out of texts and notes; a page's ground is not known, so nothing can be painted over them.
/// </summary>
internal sealed class LineGaps
{
    private readonly List<Box> taken = [];

    public void Add(Box box) => taken.Add(box);

    /// <summary>The parts of an upright line that touch nothing.</summary>
    public IEnumerable<(double From, double To)> Parts(double x, double from, double to)
    {
        var at = from;
        foreach (var box in taken.Where(box => box.X <= x && x <= box.Right && box.Bottom > from && box.Y < to)
            .OrderBy(box => box.Y))
        {
            if (box.Y - at > 1) yield return (at, box.Y);
            at = Math.Max(at, box.Bottom);
        }
        if (to - at > 1) yield return (at, to);
    }
}
