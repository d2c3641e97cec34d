using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>Draws a decision tree: a box for each node, with the shares of the classes or the mean.</summary>
internal static class TreeView
{
    private const int BoxWidth = 152, BoxHeight = 52, Gap = 14, Level = 88, MostLeaves = 16;

    public static Html Draw(DecisionTree tree) => Theme.Output(Fragment(tree));

    public static Html Fragment(DecisionTree tree)
    {
        var depth = tree.Depth;
        while (depth > 1 && tree.Nodes.Count(node => IsEnd(node, depth)) > MostLeaves) depth--;
        var places = new Dictionary<int, double>();
        var next = 0;
        Place(tree, tree.Nodes[0], depth, places, ref next);
        var (width, height) = ((next * (BoxWidth + Gap)) + Gap, ((depth + 1) * Level) - (Level - BoxHeight) + 12);
        var shown = tree.Nodes.Where(node => places.ContainsKey(node.Id)).ToList();
        var edges = shown.Where(node => !IsEnd(node, depth)).SelectMany(node => new[]
        {
            Edge(places[node.Id], places[node.Left], node.Depth, "yes", tree.Nodes[node.Left], tree.Nodes[0]),
            Edge(places[node.Id], places[node.Right], node.Depth, "no", tree.Nodes[node.Right], tree.Nodes[0]),
        });
        var legend = tree.ClassNames.Select((name, label) => Html.Of(
            $"<span><span class=\"rk-key\" style=\"background:{Theme.ColorOf(label)}\"></span>{Visible.OneLine(name)}</span>"))
                .Take(12);
        var cut = depth < tree.Depth
            ? Html.Of($"<div class=\"rk-cap\">the first {depth} of {tree.Depth} levels are drawn</div>") : Html.Empty;
        return Html.Of($"""
            <div class="rk-line"><b>decision tree</b><span class="rk-mute">{tree.Leaves} {(tree.Leaves == 1 ? "leaf" : "leaves")}, depth {tree.Depth}</span>{legend}</div>
            <div style="overflow-x:auto"><svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{Visible.OneLine(tree.ToString())}">
            {edges}{shown.Select(node => Box(tree, node, places[node.Id], depth))}</svg></div>{cut}
            """);
    }

    private static bool IsEnd(TreeNode node, int depth) => node.Depth == depth || (node.IsLeaf && node.Depth < depth);

    /// <summary>Puts leaves side by side and each other node in the middle of its children.</summary>
    private static double Place(DecisionTree tree, TreeNode node, int depth, Dictionary<int, double> places, ref int next)
    {
        if (IsEnd(node, depth)) return places[node.Id] = Gap + (next++ * (BoxWidth + Gap)) + (BoxWidth / 2.0);
        var left = Place(tree, tree.Nodes[node.Left], depth, places, ref next);
        var right = Place(tree, tree.Nodes[node.Right], depth, places, ref next);
        return places[node.Id] = (left + right) / 2;
    }

    private static Html Edge(double from, double to, int level, string answer, TreeNode child, TreeNode root)
    {
        var (top, bottom) = ((level * Level) + BoxHeight + 6, ((level + 1) * Level) + 6);
        var thickness = 1 + (7 * child.WeightedSamples / root.WeightedSamples);
        return Html.Of($"""
            <path d="M{from:0.#} {top}C{from:0.#} {top + 18} {to:0.#} {bottom - 18} {to:0.#} {bottom}" fill="none" stroke="currentColor" stroke-opacity=".3" stroke-width="{thickness:0.#}"/>
            <text x="{(from + to) / 2 + (answer == "yes" ? -8 : 8):0.#}" y="{(top + bottom) / 2 + 4}" text-anchor="{(answer == "yes" ? "end" : "start")}" fill-opacity=".7">{answer}</text>
            """);
    }

    private static Html Box(DecisionTree tree, TreeNode node, double x, int depth)
    {
        var (left, top) = (x - (BoxWidth / 2.0), (node.Depth * Level) + 6);
        var says = tree.IsClassifier ? tree.ClassNames[BestClass(node)] : Numbers.Short(node.Value[0]);
        var asks = node.IsLeaf ? says : $"{tree.FeatureNames[node.Feature]} ≤ {Numbers.Short(node.Threshold)}";
        var bound = Numbers.Short(node.Threshold);
        var label = node.IsLeaf ? says
            : $"{WaterfallView.Shortened(Visible.OneLine(tree.FeatureNames[node.Feature]), 21 - bound.Length)} ≤ {bound}";
        var isEnd = IsEnd(node, depth);
        return Html.Of($"""
            <g><title>{Visible.OneLine(asks)}; {Numbers.Count(node.Samples, "row")}; impurity {Numbers.Short(node.Impurity)}; {Shares(tree, node)}</title>
            <rect x="{left:0.#}" y="{top}" width="{BoxWidth}" height="{BoxHeight}" rx="5" fill="currentColor" fill-opacity="{(isEnd ? ".03" : ".07")}" stroke="currentColor" stroke-opacity=".35"/>
            <text x="{x:0.#}" y="{top + 17}" text-anchor="middle" font-weight="600">{WaterfallView.Shortened(Visible.OneLine(label), 24)}</text>
            <text x="{x:0.#}" y="{top + 32}" text-anchor="middle" fill-opacity=".7">{Numbers.Count(node.Samples, "row")}{(node.IsLeaf || tree.IsClassifier ? "" : $", mean {says}")}</text>
            {Bar(tree, node, left + 8, top + 38)}</g>
            """);
    }

    private static IEnumerable<Html> Bar(DecisionTree tree, TreeNode node, double left, int y)
    {
        if (!tree.IsClassifier) yield break;
        var start = left;
        foreach (var (weight, label) in node.Value.Select((weight, label) => (weight, label)))
        {
            var width = (BoxWidth - 16) * weight / node.WeightedSamples;
            if (width > 0)
                yield return Html.Of($"<rect x=\"{start:0.##}\" y=\"{y}\" width=\"{width:0.##}\" height=\"8\" "
                    + $"fill=\"{Theme.ColorOf(label)}\"/>");
            start += width;
        }
    }

    private static string Shares(DecisionTree tree, TreeNode node) => tree.IsClassifier
        ? string.Join(", ", node.Value.Select((weight, label) =>
            $"{Visible.OneLine(tree.ClassNames[label])} {Numbers.Short(weight)}"))
        : $"mean {Numbers.Short(node.Value[0])}";

    private static int BestClass(TreeNode node) =>
        Enumerable.Range(0, node.Value.Count).MaxBy(label => node.Value[label]);
}
