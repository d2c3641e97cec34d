namespace ResearchKit.Mermaid.Layout;

/// <summary>Finds the edges that must be reversed to make a graph acyclic.</summary>
internal static class CycleBreaking
{
    /// <summary>
    /// Returns the indices of the back edges of a depth-first search in the order of the diagram's text.
    /// </summary>
    public static HashSet<int> Backward(int count, IReadOnlyList<(int From, int To)> edges)
    {
        var leaving = new List<int>[count];
        for (var i = 0; i < count; i++) leaving[i] = [];
        var incoming = new int[count];
        for (var i = 0; i < edges.Count; i++)
        {
            leaving[edges[i].From].Add(i);
            if (edges[i].From != edges[i].To) incoming[edges[i].To]++;
        }
        var backward = new HashSet<int>();
        var state = new byte[count];   // 1: on the current path, 2: done
        foreach (var start in Enumerable.Range(0, count).OrderBy(i => incoming[i] > 0))
            Walk(start, edges, leaving, state, backward);
        return backward;
    }

    private static void Walk(int start, IReadOnlyList<(int From, int To)> edges, List<int>[] leaving, byte[] state,
        HashSet<int> backward)
    {
        if (state[start] != 0) return;
        var way = new Stack<(int Node, int Next)>();
        way.Push((start, 0));
        state[start] = 1;
        while (way.TryPop(out var here))
        {
            if (here.Next == leaving[here.Node].Count)
            {
                state[here.Node] = 2;
                continue;
            }
            way.Push(here with { Next = here.Next + 1 });
            var edge = leaving[here.Node][here.Next];
            var target = edges[edge].To;
            if (state[target] == 1 && target != edges[edge].From) backward.Add(edge);
            else if (state[target] == 0)
            {
                state[target] = 1;
                way.Push((target, 0));
            }
        }
    }
}
