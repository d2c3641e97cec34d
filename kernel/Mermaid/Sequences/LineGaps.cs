using ResearchKit.Mermaid.Layout;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>
/// Interrupts the vertical lines at texts and notes. They cannot be covered instead, because the page's
/// background color is unknown.
/// </summary>
internal sealed class LineGaps
{
    private readonly List<Box> taken = [];

    public void Add(Box box) => taken.Add(box);

    /// <summary>Returns the parts of a vertical line that are not inside any box.</summary>
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
