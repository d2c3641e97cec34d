namespace ResearchKit.Mermaid.Layout;

/// <summary>A segment of a path.</summary>
/// <param name="Kind"><c>M</c> moves without drawing, <c>L</c> draws a line, <c>C</c> a Bézier curve.</param>
/// <param name="End">The end point.</param>
/// <param name="First">A curve's first control point.</param>
/// <param name="Second">A curve's second control point.</param>
internal readonly record struct Step(char Kind, Point End, Point First = default, Point Second = default)
{
    public Step Mapped(Func<Point, Point> map) => new(Kind, map(End), map(First), map(Second));
}

/// <summary>The path of an edge, with a gap at its label.</summary>
internal sealed class Route
{
    public List<Step> Steps { get; } = [];

    public void Move(Point to) => Steps.Add(new Step('M', to));

    public void Line(Point to)
    {
        if ((Steps[^1].End - to).Length > 0.01) Steps.Add(new Step('L', to));
    }

    /// <summary>Adds a curve that is vertical at both ends.</summary>
    public void Curve(Point to)
    {
        var from = Steps[^1].End;
        if (Math.Abs(from.X - to.X) < 0.6) Steps.Add(new Step('L', to));
        else
        {
            var middle = (from.Y + to.Y) / 2;
            Steps.Add(new Step('C', to, new Point(from.X, middle), new Point(to.X, middle)));
        }
    }

    /// <summary>Appends a route that starts where this one ends.</summary>
    public void Append(IEnumerable<Step> more)
    {
        var isFirst = Steps.Count > 0;
        foreach (var step in more)
        {
            if (!isFirst || step.Kind != 'M') Steps.Add(step);
            isFirst = false;
        }
    }
}
