namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Assigns ranks: first the length of the longest path to each vertex, then vertices are moved nearer to their
/// neighbors.
/// </summary>
internal static class Ranking
{
    private const int Passes = 6;

    public static void Assign(IReadOnlyList<Vertex> vertices, IReadOnlyList<LevelEdge> edges)
    {
        var above = edges.ToLookup(edge => edge.To);
        var below = edges.ToLookup(edge => edge.From);
        var first = vertices.Any(IsFirst) ? 1 : 0;
        var sorted = Sorted(vertices, above, below);
        foreach (var vertex in sorted)
        {
            var least = IsFirst(vertex) ? 0 : first;
            vertex.Rank = above[vertex].Select(edge => edge.From.Rank + edge.Length).Append(least).Max();
        }
        for (var pass = 0; pass < Passes; pass++) Tighten(sorted, above, below);
        var last = vertices.Where(vertex => !IsLast(vertex)).Select(vertex => vertex.Rank).DefaultIfEmpty(0).Max() + 1;
        foreach (var vertex in vertices.Where(IsLast)) vertex.Rank = last;
    }

    private static bool IsFirst(Vertex vertex) =>
        vertex.Kind == VertexKind.Entry || vertex is { Kind: VertexKind.Title, IsLast: false };

    private static bool IsLast(Vertex vertex) => vertex.Kind == VertexKind.Exit || vertex.IsLast;

    /// <summary>Moves vertices down that have more edges below than above.</summary>
    private static void Tighten(List<Vertex> sorted, ILookup<Vertex, LevelEdge> above, ILookup<Vertex, LevelEdge> below)
    {
        for (var i = sorted.Count - 1; i >= 0; i--)
        {
            var vertex = sorted[i];
            if (vertex.Kind is not (VertexKind.Node or VertexKind.Group)) continue;
            var down = below[vertex].Where(edge => edge.To.Kind != VertexKind.Exit).ToList();
            if (down.Count > above[vertex].Count())
                vertex.Rank = Math.Max(vertex.Rank, down.Min(edge => edge.To.Rank - edge.Length));
        }
    }

    private static List<Vertex> Sorted(
        IReadOnlyList<Vertex> vertices, ILookup<Vertex, LevelEdge> above, ILookup<Vertex, LevelEdge> below)
    {
        var waiting = vertices.ToDictionary(vertex => vertex, vertex => above[vertex].Count());
        var ready = new Queue<Vertex>(vertices.Where(vertex => waiting[vertex] == 0));
        var sorted = new List<Vertex>(vertices.Count);
        while (ready.TryDequeue(out var vertex))
        {
            sorted.Add(vertex);
            foreach (var edge in below[vertex])
                if (--waiting[edge.To] == 0) ready.Enqueue(edge.To);
        }
        return sorted;
    }
}
