namespace ResearchKit.Mermaid.Layout;

/// <summary>
/// Orders the vertices of each rank to reduce edge crossings: by barycenters, then by swapping adjacent
/// vertices.
/// </summary>
internal static class Ordering
{
    private const int Sweeps = 24;
    private const int MostForChanges = 600;

    public static void Reduce(List<List<Vertex>> ranks)
    {
        Start(ranks);
        var (best, fewest) = (Orders(ranks), Crossings(ranks));
        for (var sweep = 0; sweep < Sweeps && fewest > 0; sweep++)
        {
            var down = sweep % 2 == 0;
            foreach (var rank in down ? ranks : Enumerable.Reverse(ranks)) Sort(rank, down);
            if (ranks.Sum(rank => rank.Count) <= MostForChanges) foreach (var rank in ranks) Change(rank);
            if (Crossings(ranks) is var crossings && crossings < fewest) (best, fewest) = (Orders(ranks), crossings);
        }
        for (var i = 0; i < ranks.Count; i++) Number(ranks[i], best[i]);
    }

    /// <summary>Returns the number of crossings.</summary>
    public static long Crossings(List<List<Vertex>> ranks) => ranks.Sum(rank => Crossings(
        [.. rank.SelectMany(vertex => vertex.Below).Select(piece => (Upper(piece), Lower(piece))).Order()]));

    private static double Upper(Piece piece) => piece.From.Order + Share(piece.FromOffset, piece.From);

    private static double Lower(Piece piece) => piece.To.Order + Share(piece.ToOffset, piece.To);

    private static double Share(double offset, Vertex vertex) => vertex.Width > 0 ? 0.9 * offset / vertex.Width : 0;

    private static List<List<Vertex>> Orders(List<List<Vertex>> ranks) => [.. ranks.Select(rank => rank.ToList())];

    private static void Number(List<Vertex> rank, List<Vertex> order)
    {
        rank.Clear();
        rank.AddRange(order);
        for (var i = 0; i < rank.Count; i++) rank[i].Order = i;
    }

    /// <summary>Sets the initial order by a depth-first search, which keeps connected vertices together.</summary>
    private static void Start(List<List<Vertex>> ranks)
    {
        var met = new HashSet<Vertex>();
        var orders = ranks.Select(_ => new List<Vertex>()).ToList();
        var way = new Stack<Vertex>();
        foreach (var start in ranks.SelectMany(rank => rank))
        {
            way.Push(start);
            while (way.TryPop(out var vertex))
            {
                if (!met.Add(vertex)) continue;
                orders[vertex.Rank].Add(vertex);
                foreach (var piece in Enumerable.Reverse(vertex.Above)) way.Push(piece.From);
                foreach (var piece in Enumerable.Reverse(vertex.Below)) way.Push(piece.To);
            }
        }
        for (var i = 0; i < ranks.Count; i++) Number(ranks[i], TitleFirst(orders[i]));
    }

    private static List<Vertex> TitleFirst(IEnumerable<Vertex> rank) =>
        [.. rank.OrderBy(vertex => vertex.Kind != VertexKind.Title)];

    private static void Sort(List<Vertex> rank, bool down)
    {
        var keys = rank.ToDictionary(vertex => vertex, vertex =>
        {
            var pieces = down ? vertex.Above : vertex.Below;
            return pieces.Count == 0 ? vertex.Order : pieces.Average(down ? Upper : Lower);
        });
        Number(rank, TitleFirst(rank.OrderBy(vertex => keys[vertex])));
    }

    /// <summary>Swaps adjacent vertices as long as that reduces crossings.</summary>
    private static void Change(List<Vertex> rank)
    {
        for (var (pass, better) = (0, true); better && pass < 4; pass++)
        {
            better = false;
            for (var i = 0; i + 1 < rank.Count; i++)
            {
                var (left, right) = (rank[i], rank[i + 1]);
                if (left.Kind == VertexKind.Title || Between(left, right) <= Between(right, left)) continue;
                (rank[i], rank[i + 1], left.Order, right.Order) = (right, left, i + 1, i);
                better = true;
            }
        }
    }

    /// <summary>
    /// Returns the number of crossings between the edges of two vertices if they are in this order.
    /// </summary>
    private static long Between(Vertex left, Vertex right)
    {
        long count = 0;
        foreach (var a in left.Above) foreach (var b in right.Above) if (Upper(a) > Upper(b)) count++;
        foreach (var a in left.Below) foreach (var b in right.Below) if (Lower(a) > Lower(b)) count++;
        return count;
    }

    private static long Crossings(List<(double Upper, double Lower)> pieces)
    {
        var places = pieces.Select(piece => piece.Lower).Distinct().Order().ToList();
        var tree = new int[places.Count + 1];
        long crossings = 0;
        for (var i = 0; i < pieces.Count; i++)
        {
            var place = places.BinarySearch(pieces[i].Lower) + 1;
            var before = 0;
            for (var at = place; at > 0; at -= at & -at) before += tree[at];
            crossings += i - before;
            for (var at = place; at < tree.Length; at += at & -at) tree[at]++;
        }
        return crossings;
    }
}
