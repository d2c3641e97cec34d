using ResearchKit.Results;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws a table of the norms of a model's modules, with bars on a logarithmic scale that make vanishing and
/// exploding norms visible.
/// </summary>
internal static class NormsView
{
    private const int Width = 90;

    private static readonly (string Name, Func<ModuleNorms, double?> Of)[] Columns =
        [("weight", norms => norms.Weight), ("gradient", norms => norms.Gradient), ("activation", norms => norms.Activation)];

    public static Html Draw(IReadOnlyList<ModuleNorms> modules) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>norms</b><span class="rk-num">{Numbers.Count(modules.Count, "module")}</span>
        <span class="rk-cap">weight, gradient: Euclidean norm · activation: root mean square · bars: logarithmic, from the smallest of the column to the largest</span></div>
        {ResultTableView.Fragment(Table(modules, bars: true))}
        """));

    public static string Text(IReadOnlyList<ModuleNorms> modules) =>
        modules.Count == 0 ? "no norms" : ResultTableView.Text(Table(modules, bars: false));

    private static ResultTable Table(IReadOnlyList<ModuleNorms> modules, bool bars)
    {
        var scales = Columns.Select(column => Scale(modules.Select(column.Of))).ToList();
        IEnumerable<object?> Cells(ModuleNorms norms) => Columns.SelectMany((column, index) =>
            bars ? new[] { (object?)column.Of(norms), Bar(column.Of(norms), scales[index]) } : [column.Of(norms)]);
        return new ResultTable(
            ["module", .. Columns.SelectMany(column => bars ? new[] { column.Name, "" } : [column.Name])],
            [.. modules.Select(norms => (IReadOnlyList<object?>)[
                norms.Module.Length == 0 ? "(model)" : norms.Module, .. Cells(norms)])]);
    }

    /// <summary>Returns the logarithms of the smallest and the largest positive norm.</summary>
    private static (double Low, double High) Scale(IEnumerable<double?> values)
    {
        var logarithms = values.OfType<double>().Where(value => value > 0 && double.IsFinite(value))
            .Select(value => Math.Log(value)).ToList();
        return logarithms.Count == 0 ? (0, 0) : (logarithms.Min(), logarithms.Max());
    }

    /// <summary>Draws a bar next to the number that it represents.</summary>
    private static Html Bar(double? value, (double Low, double High) scale)
    {
        if (value is not > 0) return Html.Empty;
        var share = scale.High > scale.Low ? Math.Clamp((Math.Log(value.Value) - scale.Low) / (scale.High - scale.Low), 0, 1) : 1;
        var length = 2 + ((Width - 2) * share);
        var color = double.IsFinite(value.Value) ? Theme.ColorOf(0) : $"{ColorScale.NaN}";
        return Html.Of($"<svg width=\"{Width}\" height=\"10\" aria-hidden=\"true\"><rect width=\"{length:0.#}\" height=\"10\" "
            + $"rx=\"2\" fill=\"{color}\"/></svg>");
    }
}
