using ResearchKit.Compression;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws the sensitivity of layers as a heat map with numbers: a row for each layer, a column for each scheme.
/// </summary>
internal static class SensitivityView
{
    private const int MostRows = 500;

    public static Html Draw(QuantizationSensitivity sensitivity)
    {
        var schemes = Schemes(sensitivity);
        var largest = Math.Max(1e-30, sensitivity.Layers.SelectMany(layer => layer.Schemes).Select(cost => cost.Rise)
            .Where(double.IsFinite).DefaultIfEmpty(0).Max());
        var head = schemes.Select(scheme => Html.Of($"<th scope=\"col\" class=\"rk-right\">{scheme}</th>"));
        var rows = sensitivity.Layers.Take(MostRows).Select(layer => Html.Of($"""
            <tr><th scope="row" class="rk-num">{Visible.OneLine(layer.Name)}</th><td class="rk-right">{Numbers.Count(layer.Weights)}</td>
            {layer.Schemes.Select(cost => ShadedCell.Draw(Numbers.Short(cost.Rise), Math.Sqrt(Math.Max(0, cost.Rise) / largest)))}</tr>
            """));
        var baseline = sensitivity.Baseline is { } loss
            ? Html.Of($"<span class=\"rk-num rk-mute\">loss as it is {Numbers.Short(loss)}</span>") : Html.Empty;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>sensitivity to quantization</b><span>{Visible.OneLine(sensitivity.Measure)} when one layer alone is quantized</span>{baseline}</div>
            <table class="rk-tab"><caption class="rk-cap">shade: square root of the share of the largest number</caption><thead><tr>
            <th scope="col">layer</th><th scope="col" class="rk-right">weights</th>{head}</tr></thead><tbody>{rows}</tbody></table>
            """));
    }

    public static string Text(QuantizationSensitivity sensitivity)
    {
        var schemes = Schemes(sensitivity);
        var table = new ResultTable(["layer", "weights", .. schemes],
            [.. sensitivity.Layers.Select(layer => (IReadOnlyList<object?>)
                [layer.Name, layer.Weights, .. layer.Schemes.Select(cost => (object?)cost.Rise)])]);
        return $"{Visible.OneLine(sensitivity.Measure)} when one layer alone is quantized\n{ResultTableView.Text(table)}";
    }

    private static List<string> Schemes(QuantizationSensitivity sensitivity) =>
        [.. sensitivity.Layers.Take(1).SelectMany(layer => layer.Schemes).Select(cost => cost.Scheme.ToString())];
}
