namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Removes small sideways steps from edges: first by moving bends and labels, then by sliding arrows along the
/// borders of nodes.
/// </summary>
internal static class Straightening
{
    private const double Near = 22;
    private const double Slide = 18;
    private const double ArrowApart = 11;

    public static void Apply(LevelGraph level)
    {
        ApplyOnce(level);
        ApplyOnce(level);   // again, because the moved arrows allow more bends to move
    }

    private static void ApplyOnce(LevelGraph level)
    {
        foreach (var edge in level.Edges)
        {
            for (var i = edge.Pieces.Count - 1; i > 0; i--) MoveAbove(edge.Pieces[i], level);
            for (var i = 0; i + 1 < edge.Pieces.Count; i++) MoveBelow(edge.Pieces[i], level);
        }
        foreach (var vertex in level.Vertices.Where(vertex => vertex.Item is not null))
        {
            SlideAlong(vertex, [.. vertex.Above.Where(piece => !piece.IsToFixed).OrderBy(piece => piece.ToOffset)],
                isAbove: true);
            SlideAlong(vertex, [.. vertex.Below.Where(piece => !piece.IsFromFixed).OrderBy(piece => piece.FromOffset)],
                isAbove: false);
        }
    }

    private static void MoveAbove(Piece piece, LevelGraph level) => Move(piece.From, piece.To.X + piece.ToOffset, level);

    private static void MoveBelow(Piece piece, LevelGraph level)
    {
        // Align with the piece above, unless the piece below is vertical already.
        var below = piece.To.Below[0];
        if (Math.Abs(below.To.X + below.ToOffset - piece.To.X) > 0.5) Move(piece.To, piece.From.X + piece.FromOffset, level);
    }

    private static void Move(Vertex vertex, double x, LevelGraph level)
    {
        if (Math.Abs(x - vertex.X) > Near) return;
        var rank = level.Ranks[vertex.Rank];
        var least = vertex.Order > 0 ? rank[vertex.Order - 1].X + Coordinates.Apart(rank[vertex.Order - 1], vertex)
            : double.NegativeInfinity;
        var most = vertex.Order + 1 < rank.Count ? rank[vertex.Order + 1].X - Coordinates.Apart(vertex, rank[vertex.Order + 1])
            : double.PositiveInfinity;
        if (least <= most) vertex.X = Math.Clamp(x, least, most);
    }

    private static void SlideAlong(Vertex vertex, List<Piece> pieces, bool isAbove)
    {
        var reach = (vertex.Width - vertex.LoopRoom) * vertex.ArrowShare / 1.75;
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = pieces[i];
            var other = isAbove ? piece.From.X + piece.FromOffset : piece.To.X + piece.ToOffset;
            var wanted = other - vertex.X;
            var now = Offset(piece, isAbove);
            var least = Math.Max(vertex.Shift - reach,
                i > 0 ? Offset(pieces[i - 1], isAbove) + ArrowApart : double.NegativeInfinity);
            var most = Math.Min(vertex.Shift + reach,
                i + 1 < pieces.Count ? Offset(pieces[i + 1], isAbove) - ArrowApart : double.PositiveInfinity);
            if (Math.Abs(wanted - now) > Slide || wanted < least || wanted > most) continue;
            if (isAbove) piece.ToOffset = wanted;
            else piece.FromOffset = wanted;
        }
    }

    private static double Offset(Piece piece, bool isAbove) => isAbove ? piece.ToOffset : piece.FromOffset;
}
