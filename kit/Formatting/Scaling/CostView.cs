using ResearchKit.Results;
using ResearchKit.Scaling;

namespace ResearchKit.Formatting;

/// <summary>Draws what a model costs: a tree of its modules with parameters and operations, and tables.</summary>
internal static class CostView
{
    private const int MostEntries = 400;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-cost summary,.rk-cost .rk-leaf{display:flex;gap:10px;align-items:baseline}
        .rk-cost details,.rk-cost .rk-leaf{margin-left:14px;border-left:1px solid var(--rk-line);padding-left:8px}
        .rk-cost>details{margin-left:0;border-left:0;padding-left:0}
        .rk-cost .rk-bar{display:inline-block;height:8px;min-width:1px;background:#3b82f6;align-self:center}
        .rk-cost .rk-num{margin-left:auto;white-space:nowrap}
        </style>
        """);

    public static Html Draw(ModelCost cost)
    {
        var left = MostEntries;
        var tree = Entry(cost, "model", 1, cost, 0, ref left);
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{cost.Type}</b><span class="rk-num">{Numbers.Count(cost.Parameters.Total, "parameter")}</span>
            <span class="rk-num rk-mute">{Each(cost)}</span></div>
            {ResultTableView.Fragment(Totals(cost))}<div class="rk-cost">{tree}</div>
            <div class="rk-cap">The bar is the module's share of the forward operations. A multiply-add counts as two operations.</div>
            """), Style);
    }

    /// <summary>The tree as indented lines, after the totals.</summary>
    public static string Text(ModelCost cost)
    {
        var rows = new List<IReadOnlyList<object?>>();
        Collect(cost, "model", 1, 0, rows);
        return $"{cost.Type}: {Numbers.Count(cost.Parameters.Total, "parameter")}, "
            + $"{Each(cost)}\n{ResultTableView.Text(Totals(cost))}\n"
            + ResultTableView.Text(new(["module", "class", "parameters", "forward", "backward"], rows));
    }

    public static ResultTable Memory(MemoryEstimate memory) => new(["kind", "bytes", "MB"],
    [
        Row("weights and buffers", memory.Weights), Row("gradients", memory.Gradients),
            Row("optimizer state", memory.OptimizerState),
        Row("activations", memory.Activations), Row("batch", memory.Batch), Row($"peak, at the {memory.PeakAt}", memory.Peak),
    ]);

    private static IReadOnlyList<object?> Row(string kind, long bytes) => [kind, bytes, Math.Round(bytes / 1e6, 2)];

    private static string Each(ModelCost cost) =>
        $"{Numbers.Scaled((long)cost.OperationsPerPosition.Forward)} FLOPs forward for each of {Numbers.Count(cost.Positions, "position")}";

    private static ResultTable Totals(ModelCost cost)
    {
        var parameters = cost.Parameters;
        var operations = cost.Operations;
        List<IReadOnlyList<object?>> rows =
        [
            ["parameters: embedding", parameters.Embedding], ["parameters: matrices", parameters.Matrices],
            ["parameters: head", parameters.Head], ["parameters: norms", parameters.Norms],
                ["parameters: biases", parameters.Biases],
            ["forward: linear", operations.Linear], ["forward: of these, the head", cost.HeadOperations],
            ["forward: convolution", operations.Convolution], ["forward: attention, full", operations.Attention],
            ["forward: attention, causal", operations.CausalAttention], ["forward: other products", operations.Other],
            ["forward", operations.Forward], ["backward", operations.Backward], ["recomputed", operations.Recomputed],
        ];
        if (cost.Generation is { } generation)
            rows.AddRange([["a generated token", generation.Fixed],
                ["and for each token it attends to", generation.PerCachedToken],
                ["bytes of cache a token, float32", generation.CacheBytesPerToken]]);
        return new(["cost of one pass", "count"], [.. rows.Where(row => Convert.ToDouble(row[1],
            System.Globalization.CultureInfo.InvariantCulture) != 0)]);
    }

    private static Html Entry(ModelCost cost, string label, int alike, ModelCost root, int depth, ref int left)
    {
        if (--left < 0) return Html.Empty;
        var share = root.Operations.Forward > 0 ? alike * cost.Operations.Forward / root.Operations.Forward : 0;
        var line = Html.Of($"""
            <b>{label}</b><span class="rk-mute">{(alike == 1 ? "" : $"{alike} × ")}{cost.Type}</span>
            <span class="rk-bar" style="width:{Math.Round(120 * share, 1)}px"></span><span class="rk-num">{Costs(cost, alike)}</span>
            """);
        var groups = Groups(cost);
        if (groups.Count == 0) return Html.Of($"<div class=\"rk-leaf\">{line}</div>");
        var below = new List<Html>();
        foreach (var (name, count, first) in groups) below.Add(Entry(first, name, count, root, depth + 1, ref left));
        return depth < 1 ? Html.Of($"<details open=\"open\"><summary>{line}</summary>{below}</details>")
            : Html.Of($"<details><summary>{line}</summary>{below}</details>");
    }

    private static string Costs(ModelCost cost, int alike) => $"{Numbers.Scaled(alike * cost.Parameters.Total)} parameters"
        + (cost.Operations.Forward > 0 ? $" · {Numbers.Scaled((long)(alike * cost.Operations.Forward))} FLOPs" : "");

    private static void Collect(ModelCost cost, string label, int alike, int depth, List<IReadOnlyList<object?>> rows)
    {
        if (rows.Count >= MostEntries) return;
        rows.Add([new string(' ', 2 * depth) + label, alike == 1 ? cost.Type : $"{alike} × {cost.Type}",
            alike * cost.Parameters.Total,
            alike * cost.Operations.Forward, alike * cost.Operations.Backward]);
        foreach (var (name, count, first) in Groups(cost)) Collect(first, name, count, depth + 1, rows);
    }

    /// <summary>Submodules that cost something; neighbours of equal cost are one entry.</summary>
    private static List<(string Label, int Alike, ModelCost First)> Groups(ModelCost cost)
    {
        var groups = new List<(string Label, int Alike, ModelCost First)>();
        foreach (var child in cost.Children.Where(child => child.Parameters.Total > 0 || child.Operations.Forward > 0))
            if (groups is [.., var last] && last.First.Type == child.Type && last.First.Parameters == child.Parameters
                && last.First.Operations == child.Operations)
                groups[^1] = ($"{last.First.Name} … {child.Name}", last.Alike + 1, last.First);
            else groups.Add((child.Name, 1, child));
        return groups;
    }
}
