using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>The positions of all elements inside a rectangle whose corner is at (0, 0).</summary>
internal sealed class Placement
{
    public double Width { get; set; }

    public double Height { get; set; }

    public Dictionary<GraphItem, Box> Items { get; } = [];

    /// <summary>The boxes of the groups' titles.</summary>
    public Dictionary<GraphGroup, Box> Titles { get; } = [];

    /// <summary>The routes of the edges.</summary>
    public Dictionary<GraphEdge, Route> Routes { get; } = [];

    /// <summary>The reversed edges: their routes go from the end to the start.</summary>
    public HashSet<GraphEdge> Turned { get; } = [];

    public Dictionary<GraphEdge, Box> Labels { get; } = [];

    /// <summary>The x coordinates at which edges cross the upper or lower border, measured from the left.</summary>
    public Dictionary<GraphEdge, double> Ports { get; } = [];

    /// <summary>Returns the placement with all points mapped.</summary>
    public Placement Mapped(Func<Point, Point> map, double width, double height)
    {
        var mapped = new Placement { Width = width, Height = height };
        foreach (var (item, box) in Items) mapped.Items[item] = Mapped(box, map);
        foreach (var (group, box) in Titles) mapped.Titles[group] = Mapped(box, map);
        foreach (var (edge, box) in Labels) mapped.Labels[edge] = Mapped(box, map);
        foreach (var (edge, route) in Routes)
        {
            var way = new Route();
            way.Steps.AddRange(route.Steps.Select(step => step.Mapped(map)));
            mapped.Routes[edge] = way;
        }
        foreach (var (edge, port) in Ports) mapped.Ports[edge] = port;
        mapped.Turned.UnionWith(Turned);
        return mapped;
    }

    /// <summary>
    /// Adds the placement of an inner rectangle. Routes that continue outside of it are not connected yet.
    /// </summary>
    public void Take(Placement inner, Point at)
    {
        foreach (var (item, box) in inner.Items) Items[item] = box.Moved(at);
        foreach (var (group, box) in inner.Titles) Titles[group] = box.Moved(at);
        foreach (var (edge, box) in inner.Labels) Labels[edge] = box.Moved(at);
        foreach (var (edge, route) in inner.Routes)
        {
            Routes[edge] = new Route();
            Routes[edge].Append(route.Steps.Select(step => step.Mapped(point => point + at)));
        }
    }

    private static Box Mapped(Box box, Func<Point, Point> map) =>
        Box.Between(map(new Point(box.X, box.Y)), map(new Point(box.Right, box.Bottom)));
}
