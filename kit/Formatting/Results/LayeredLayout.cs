using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Places the nodes of a graph in a column for each layer, from left to right. Within a column they are ordered by the mean
/// place of their neighbours, weighted by the edges, in several sweeps (Sugiyama et al., 1981).
/// </summary>
internal sealed class LayeredLayout
{
    private const int Sweeps = 8;

    private readonly List<List<int>> columns;
    private readonly double[] places;
    private readonly List<(int Node, double Weight)>[] neighbours;

    private LayeredLayout(Graph graph)
    {
        var numbers = graph.Nodes.Select((node, number) => (node.Name, number))
            .ToDictionary(pair => pair.Name, pair => pair.number);
        neighbours = [.. graph.Nodes.Select(_ => new List<(int, double)>())];
        foreach (var edge in graph.Edges)
        {
            var (from, to, weight) = (numbers[edge.From], numbers[edge.To], 1e-9
                + (double.IsFinite(edge.Weight) ? Math.Abs(edge.Weight) : 0));
            neighbours[from].Add((to, weight));
            neighbours[to].Add((from, weight));
        }
        columns = [.. graph.Nodes.Select((node, number) => (node.Layer, number)).GroupBy(pair => pair.Layer, pair => pair.number)
            .OrderBy(column => column.Key).Select(column => column.ToList())];
        places = new double[graph.Nodes.Count];
        foreach (var column in columns) Number(column);
    }

    /// <summary>Returns for each node its column and its place in it, counted from the middle of the column.</summary>
    public static IReadOnlyList<(int Column, double Place)> Of(Graph graph)
    {
        var layout = new LayeredLayout(graph);
        for (var sweep = 0; sweep < Sweeps; sweep++)
            foreach (var column in sweep % 2 == 0 ? layout.columns : Enumerable.Reverse(layout.columns)) layout.Order(column);
        var result = new (int, double)[graph.Nodes.Count];
        for (var column = 0; column < layout.columns.Count; column++)
            foreach (var node in layout.columns[column]) result[node] = (column, layout.places[node]);
        return result;
    }

    private void Order(List<int> column)
    {
        var wanted = column.ToDictionary(node => node, node => neighbours[node].Sum(other => other.Weight) is > 0 and var sum
            ? neighbours[node].Sum(other => other.Weight * places[other.Node]) / sum : places[node]);
        var ordered = column.OrderBy(node => wanted[node]).ToList();   // stable: equal ones stay
        column.Clear();
        column.AddRange(ordered);
        Number(column);
    }

    private void Number(List<int> column)
    {
        for (var place = 0; place < column.Count; place++) places[column[place]] = place - ((column.Count - 1) / 2.0);
    }
}
