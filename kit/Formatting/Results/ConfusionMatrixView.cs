using System.Globalization;
using ResearchKit.Metrics;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws a confusion matrix: a row for each target class, shaded by the share of the row; with more classes than fit, the pairs
/// that are confused most.
/// </summary>
internal static class ConfusionMatrixView
{
    private const int MostClasses = 40, MostPairs = 20;

    public static Html Draw(ConfusionMatrix matrix) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>confusion matrix</b><span class="rk-num">accuracy {Share(matrix.Accuracy)}</span>
        <span class="rk-num rk-mute">{Numbers.Count(matrix.Total, "prediction")}</span></div>
        {(matrix.Classes <= MostClasses ? Table(matrix) : ResultTableView.Fragment(Pairs(matrix)))}
        """));

    public static string Text(ConfusionMatrix matrix) => string.Create(CultureInfo.InvariantCulture,
        $"accuracy {Share(matrix.Accuracy)} of {matrix.Total:N0} predictions\n")
        + (matrix.Classes <= MostClasses ? matrix.ToString() : ResultTableView.Text(Pairs(matrix)));

    private static Html Table(ConfusionMatrix matrix)
    {
        var labels = matrix.Labels.Select(Visible.OneLine).ToList();
        var head = labels.Select(label => Html.Of($"<th scope=\"col\" class=\"rk-right\">{label}</th>"));
        var rows = labels.Select((label, target) => Html.Of($"""
            <tr><th scope="row">{label}</th>{labels.Select((_, predicted) => Cell(matrix, target, predicted))}
            <td class="rk-right">{Share(matrix.Recall(target))}</td></tr>
            """));
        return Html.Of($"""
            <table class="rk-tab"><caption class="rk-cap">rows: targets · columns: predictions · shade: share of the row</caption>
            <thead><tr><td></td>{head}<th scope="col" class="rk-right">recall</th></tr></thead><tbody>{rows}</tbody></table>
            """);
    }

    private static Html Cell(ConfusionMatrix matrix, int target, int predicted)
    {
        var count = matrix.Counts[target, predicted];
        var targets = Enumerable.Range(0, matrix.Classes).Sum(other => matrix.Counts[target, other]);
        var shade = targets == 0 ? 0 : 70.0 * count / targets;
        var color = target == predicted ? "var(--rk-accent)" : "#d6455d";
        return Html.Of($"<td class=\"rk-right\" style=\"background:color-mix(in srgb,{color} "
            + $"{shade:0.#}%,transparent)\">{Numbers.Count(count)}</td>");
    }

    /// <summary>The wrong pairs that occur most.</summary>
    private static ResultTable Pairs(ConfusionMatrix matrix) => new(["target", "predicted", "count", "share of the target"],
        [.. (from target in Enumerable.Range(0, matrix.Classes)
            from predicted in Enumerable.Range(0, matrix.Classes)
            where target != predicted && matrix.Counts[target, predicted] > 0
            orderby matrix.Counts[target, predicted] descending
            select (IReadOnlyList<object?>)[matrix.Labels[target], matrix.Labels[predicted], matrix.Counts[target, predicted],
                Share(matrix.Counts[target, predicted] / (double)Enumerable.Range(0, matrix.Classes)
                    .Sum(other => matrix.Counts[target, other]))]).Take(MostPairs)]);

    private static string Share(double share) =>
        double.IsNaN(share) ? "–" : share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
