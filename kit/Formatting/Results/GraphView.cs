using System.Security.Cryptography;
using System.Text;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Shows a graph: its drawing, its evidence, and its strongest edges as a table.</summary>
internal static class GraphView
{
    private const int MostListed = 40, MostNodes = 400;

    public static Html Draw(Graph graph)
    {
        var shown = Shown(graph);
        var left = new List<string>();
        if (shown.Nodes.Count < graph.Nodes.Count)
            left.Add($"{Numbers.Count(graph.Nodes.Count - shown.Nodes.Count)} nodes with the weakest edges are not shown");
        if (shown.Edges.Count > GraphDrawing.MostEdges)
            left.Add($"the {Numbers.Count(shown.Edges.Count - GraphDrawing.MostEdges)} weakest edges are not shown");
        var mark = $"rk-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(graph.ToJson())))[..8]}";
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(graph.Title)}</b><span class="rk-mute">{Numbers.Count(graph.Nodes.Count, "node")} · {Numbers.Count(graph.Edges.Count, "edge")}</span>{Key(graph)}</div>
            <div class="rk-scroll" tabindex="0" role="group" aria-label="{Visible.OneLine(graph.Title)}">{DrawingSvg.Inline(GraphDrawing.Draw(shown, mark))}</div>
            <div class="rk-cap">{string.Join("; ", left)}</div>{EvidenceCaption.Draw(graph.Evidence)}
            <details><summary class="rk-cap">strongest edges</summary>{ResultTableView.Fragment(Table(graph), verbatim: true)}</details>
            """));
    }

    public static string Text(Graph graph) =>
        $"{Visible.OneLine(graph.ToString())}\n{ResultTableView.Text(Table(graph), verbatim: true)}";

    /// <summary>The graph as drawn: with too many nodes, those with the strongest edges.</summary>
    public static Graph Shown(Graph graph)
    {
        if (graph.Nodes.Count <= MostNodes) return graph;
        var strength = graph.Nodes.ToDictionary(node => node.Name, _ => 0.0);
        foreach (var edge in graph.Edges)
            foreach (var end in new[] { edge.From, edge.To }) strength[end] = Math.Max(strength[end], Math.Abs(edge.Weight));
        var kept = graph.Nodes.OrderByDescending(node => strength[node.Name]).Take(MostNodes)
            .Select(node => node.Name).ToHashSet();
        return new Graph(graph.Title, graph.Unit, [.. graph.Nodes.Where(node => kept.Contains(node.Name))],
            [.. graph.Edges.Where(edge => kept.Contains(edge.From) && kept.Contains(edge.To))])
        { Evidence = graph.Evidence };
    }

    private static Html Key(Graph graph)
    {
        var signed = graph.Edges.Any(edge => edge.Weight < 0) && graph.Edges.Any(edge => edge.Weight > 0);
        var largest = Numbers.Short(graph.Edges.Select(edge => Math.Abs(edge.Weight)).Where(double.IsFinite)
            .DefaultIfEmpty().Max());
        return Html.Of($"<span class=\"rk-cap\">{(signed ? "red: positive · blue: negative · " : "")}thick: strong, at most "
            + $"{largest} {Visible.OneLine(graph.Unit)}</span>");
    }

    private static ResultTable Table(Graph graph)
    {
        var labels = graph.Nodes.ToDictionary(node => node.Name, node =>
            Visible.Label(node.Label.Length > 0 ? node.Label : node.Name, 40));
        return new ResultTable(["from", "to", graph.Unit.Length > 0 ? graph.Unit : "weight"],
            [.. graph.Edges.OrderByDescending(edge => Math.Abs(edge.Weight)).Take(MostListed)
                .Select(edge => (IReadOnlyList<object?>)[labels[edge.From], labels[edge.To], edge.Weight])]);
    }
}
