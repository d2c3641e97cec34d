using ResearchKit.Mermaid.Graphs;

namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Lays out one group, with all edges pointing down. Its inner groups must be laid out already.
/// </summary>
internal sealed class LevelLayout(
    GraphGroup group, Flow flow, IReadOnlyList<LevelLink> links, IReadOnlyDictionary<GraphGroup, Placement> inner,
    IReadOnlySet<GraphEdge> turned)
{
    private const double Inset = 16;
    private const double TitleInset = 10;
    private const double WideGap = 44;
    private const double NarrowGap = 26;
    private const double ArrowApart = 30;

    private readonly Placement placed = new();
    private readonly LevelGraph level = new(group, flow, links, inner, turned);

    private bool IsRoot => group.Parent is null;

    public Placement Place()
    {
        if (group.Items.Count == 0) return PlaceEmpty();
        Ordering.Reduce(level.Ranks);
        foreach (var vertex in level.Vertices) SpreadArrows(vertex);
        Coordinates.Assign(level.Ranks);
        Straightening.Apply(level);
        var (left, top, right, bottom) = Insets();
        SetX(left, right);
        var (tops, heights) = SetY(top, bottom);
        foreach (var vertex in level.Vertices.Where(vertex => vertex.Item is not null)) PlaceItem(vertex);
        PlaceTitle();
        new LevelRoutes(flow, level, placed, inner, tops, heights).Draw();
        return placed;
    }

    private Placement PlaceEmpty()
    {
        var (width, height) = IsRoot ? (0, 0)
            : flow.Turned(Math.Max(80, group.Label.Width + 24), group.Label.Height + (2 * TitleInset) + 16);
        (placed.Width, placed.Height) = (width, height);
        if (!IsRoot) PlaceTitle();
        return placed;
    }

    /// <summary>
    /// Distributes the arrows at a border of a vertex, ordered by the position of their other ends.
    /// </summary>
    private static void SpreadArrows(Vertex vertex)
    {
        if (vertex.Item is null) return;
        var below = vertex.Below.Where(piece => !piece.IsFromFixed)
            .OrderBy(piece => piece.To.Order + (piece.ToOffset / Math.Max(1, piece.To.Width))).ToList();
        var above = vertex.Above.Where(piece => !piece.IsToFixed)
            .OrderBy(piece => piece.From.Order + (piece.FromOffset / Math.Max(1, piece.From.Width))).ToList();
        var share = (vertex.Width - vertex.LoopRoom) * vertex.ArrowShare;
        var (wide, at) = (Apart(below.Count, share, below.Select(piece => piece.FromRoom)), -(below.Count - 1) / 2.0);
        foreach (var piece in below) piece.FromOffset = vertex.Shift + (at++ * wide);
        (wide, at) = (Apart(above.Count, share, above.Select(piece => piece.ToRoom)), -(above.Count - 1) / 2.0);
        foreach (var piece in above) piece.ToOffset = vertex.Shift + (at++ * wide);
        foreach (var piece in below)
            piece.FromOffset = Free(piece.FromOffset,
                vertex.Below.Where(other => other.IsFromFixed).Select(other => other.FromOffset));
        foreach (var piece in above)
            piece.ToOffset = Free(piece.ToOffset, vertex.Above.Where(other => other.IsToFixed).Select(other => other.ToOffset));
    }

    /// <summary>
    /// Returns an offset that keeps away from the fixed positions of edges that cross the border.
    /// </summary>
    private static double Free(double offset, IEnumerable<double> passes)
    {
        foreach (var pass in passes.Order())
            if (Math.Abs(pass - offset) < ArrowApart / 2) offset = pass + (ArrowApart / 2);
        return offset;
    }

    private static double Apart(int count, double share, IEnumerable<double> rooms) =>
        count < 2 ? 0 : Math.Min(Math.Max(ArrowApart, rooms.Max()), share / (count - 1));

    private (double Left, double Top, double Right, double Bottom) Insets()
    {
        if (IsRoot) return default;
        var title = level.HasTitleRank ? TitleInset : group.Label.IsEmpty ? Inset : group.Label.Height + (2 * TitleInset);
        return flow.Direction switch
        {
            Direction.Down => (Inset, title, Inset, Inset),
            Direction.Up => (Inset, Inset, Inset, title),
            _ => (title, Inset, Inset, Inset),
        };
    }

    private void SetX(double left, double right)
    {
        var all = level.Ranks.SelectMany(rank => rank).ToList();
        var (from, to) = (all.Min(vertex => vertex.X - (vertex.Width / 2)), all.Max(vertex => vertex.X + (vertex.Width / 2)));
        var least = IsRoot || flow.IsSideways || level.HasTitleRank ? 0 : group.Label.Width + 24;
        placed.Width = Math.Max(to - from + left + right, least);
        var shift = left - from + ((placed.Width - (to - from + left + right)) / 2);
        foreach (var vertex in all) vertex.X += shift;
    }

    private (double[] Tops, double[] Heights) SetY(double top, double bottom)
    {
        var heights = level.Ranks.Select(rank => rank.Max(vertex => vertex.Height)).ToArray();
        var least = IsRoot || !flow.IsSideways ? 0 : group.Label.Width + 24;
        var all = heights.Sum() + Enumerable.Range(0, heights.Length - 1).Sum(Gap) + top + bottom;
        placed.Height = Math.Max(all, least);
        var tops = new double[heights.Length];
        var y = top + ((placed.Height - all) / 2);
        for (var rank = 0; rank < tops.Length; rank++)
        {
            tops[rank] = y;
            foreach (var vertex in level.Ranks[rank]) vertex.Y = y + (heights[rank] / 2);
            if (rank + 1 < tops.Length) y += heights[rank] + Gap(rank);
        }
        return (tops, heights);
    }

    /// <summary>
    /// Returns the gap below a rank, which is larger if its edges go far sideways, or have arrowheads at the upper
    /// end or texts.
    /// </summary>
    private double Gap(int rank)
    {
        var isNarrow = IsLight(level.Ranks[rank]) || IsLight(level.Ranks[rank + 1]);
        var pieces = level.Ranks[rank].SelectMany(vertex => vertex.Below).ToList();
        if (pieces.Count == 0) return NarrowGap;
        var aside = pieces.Max(piece => Math.Abs(piece.From.X + piece.FromOffset - piece.To.X - piece.ToOffset));
        return (isNarrow ? NarrowGap : WideGap) + Math.Min(60, aside * 0.1)
            + (pieces.Any(piece => piece.HasHeadAbove) ? 14 : 0)
            + (pieces.Any(piece => piece.FromRoom + piece.ToRoom > 0) ? 16 : 0);
    }

    private static bool IsLight(List<Vertex> rank) => rank.All(vertex => vertex.Item is null);

    private void PlaceItem(Vertex vertex)
    {
        var box = Box.Around(new Point(vertex.X + vertex.Shift, vertex.Y), vertex.Width - vertex.LoopRoom, vertex.Height);
        if (vertex.Item is GraphGroup child) placed.Take(inner[child], new Point(box.X, box.Y));
        placed.Items[vertex.Item!] = box;
    }

    /// <summary>
    /// Places the title at the top of the group on the page, whatever the direction of the layout.
    /// </summary>
    private void PlaceTitle()
    {
        if (IsRoot || group.Label.IsEmpty) return;
        if (level.Title is { } title)
        {
            placed.Titles[group] = Box.Around(new Point(title.X, title.Y), title.Width, title.Height);
            return;
        }
        var (pageWidth, _) = flow.Turned(placed.Width, placed.Height);
        var page = new Box((pageWidth - group.Label.Width) / 2, TitleInset, group.Label.Width, group.Label.Height);
        placed.Titles[group] = Box.Between(
            flow.FromPage(new Point(page.X, page.Y), placed.Height),
            flow.FromPage(new Point(page.Right, page.Bottom), placed.Height));
    }
}
