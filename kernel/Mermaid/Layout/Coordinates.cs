namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Assigns x coordinates: places the vertices of each rank side by side, each as near as possible to its
/// neighbors in other ranks.
/// </summary>
/// <remarks>
/// The positions within a rank are optimal: adjacent vertices that would overlap are merged into blocks, as in
/// isotonic
/// regression. So vertices never overlap, whatever the number of sweeps.
/// </remarks>
internal static class Coordinates
{
    private const int Sweeps = 28;

    public static void Assign(List<List<Vertex>> ranks)
    {
        foreach (var rank in ranks) Pack(rank);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var down = sweep % 2 == 0;
            var both = sweep >= 6;
            foreach (var rank in down ? ranks : Enumerable.Reverse(ranks)) Place(rank, both || down, both || !down);
        }
    }

    /// <summary>Returns the minimum distance between the centers of two adjacent vertices.</summary>
    public static double Apart(Vertex left, Vertex right) => ((left.Width + right.Width) / 2) + (left.IsThin, right.IsThin) switch
    {
        (true, true) => 18,
        _ when left.Kind == VertexKind.Label || right.Kind == VertexKind.Label => 22,
        (false, false) => left.Kind == VertexKind.Group || right.Kind == VertexKind.Group ? 34 : 38,
        _ => 20,
    };

    private static void Pack(List<Vertex> rank)
    {
        var x = 0.0;
        for (var i = 0; i < rank.Count; i++) rank[i].X = x += i > 0 ? Apart(rank[i - 1], rank[i]) : 0;
        foreach (var vertex in rank) vertex.X -= x / 2;
    }

    private static void Place(List<Vertex> rank, bool above, bool below)
    {
        var blocks = new List<(double Place, double Weight, int Count)>();
        var along = new double[rank.Count];
        for (var i = 0; i < rank.Count; i++)
        {
            if (i > 0) along[i] = along[i - 1] + Apart(rank[i - 1], rank[i]);
            var (wanted, weight) = Wanted(rank[i], above, below);
            blocks.Add((wanted - along[i], weight, 1));
            while (blocks.Count > 1 && blocks[^2].Place > blocks[^1].Place) Merge(blocks);
        }
        var at = 0;
        foreach (var block in blocks)
            for (var i = 0; i < block.Count; i++, at++) rank[at].X = block.Place + along[at];
    }

    private static void Merge(List<(double Place, double Weight, int Count)> blocks)
    {
        var (a, b) = (blocks[^2], blocks[^1]);
        var weight = a.Weight + b.Weight;
        blocks.RemoveAt(blocks.Count - 1);
        blocks[^1] = (((a.Place * a.Weight) + (b.Place * b.Weight)) / weight, weight, a.Count + b.Count);
    }

    private static (double Place, double Weight) Wanted(Vertex vertex, bool above, bool below)
    {
        var (sum, weight) = (0.0, 0.0);
        if (above)
            foreach (var piece in vertex.Above)
            {
                sum += piece.Weight * (piece.From.X + piece.FromOffset - piece.ToOffset);
                weight += piece.Weight;
            }
        if (below)
            foreach (var piece in vertex.Below)
            {
                sum += piece.Weight * (piece.To.X + piece.ToOffset - piece.FromOffset);
                weight += piece.Weight;
            }
        return weight > 0 ? (sum / weight, weight) : (vertex.X, 0.02);
    }
}
