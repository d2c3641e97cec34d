using System.Globalization;
using ResearchKit.Compression;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws what quantizing did to each layer: a table whose errors are shaded by their share of the largest.</summary>
internal static class QuantizationView
{
    private const int MostRows = 500;

    public static Html Draw(QuantizationReport report)
    {
        var hasOutputs = report.Layers.Any(layer => layer.OutputError is not null);
        var weights = Largest(report, layer => layer.WeightError);
        var outputs = Largest(report, layer => layer.OutputError ?? 0);
        var rows = report.Layers.Take(MostRows).Select(layer => Html.Of($"""
            <tr><th scope="row" class="rk-num">{Visible.OneLine(layer.Name)}</th><td>{layer.Scheme}</td><td class="rk-right">{Numbers.Count(layer.Weights)}</td>
            <td class="rk-right">{layer.BitsPerWeight:0.##}</td><td class="rk-right">{Kilobytes(layer.Bytes)}</td>
            {ShadedCell.Draw(Share(layer.WeightError), layer.WeightError / weights)}{(hasOutputs ? Output(layer, outputs) : Html.Empty)}</tr>
            """));
        var more = report.Layers.Count > MostRows ? Html.Of(
            $"<div class=\"rk-cap\">{Numbers.Count(report.Layers.Count - MostRows)} more are not shown</div>") : Html.Empty;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>quantized</b><span class="rk-num">{report.BitsPerWeight:0.##} bits a weight</span>
            <span class="rk-num">{report.Bytes / 1e6:0.##} MB in {Numbers.Count(report.Layers.Count, "layer")}</span>
            <span class="rk-num rk-mute">{Numbers.Count(report.OtherWeights, "other parameter")}</span></div>
            <table class="rk-tab"><caption class="rk-cap">shade: error as a share of the largest in its column</caption><thead><tr>
            <th scope="col">layer</th><th scope="col">scheme</th><th scope="col" class="rk-right">weights</th>
            <th scope="col" class="rk-right">bits a weight</th><th scope="col" class="rk-right">kilobytes</th>
            <th scope="col" class="rk-right">weight error</th>{(hasOutputs ? Html.Of($"<th scope=\"col\" class=\"rk-right\">output error</th>") : Html.Empty)}
            </tr></thead><tbody>{rows}</tbody></table>{more}
            """));
    }

    public static string Text(QuantizationReport report) => ResultTableView.Text(new ResultTable(
        ["layer", "scheme", "weights", "bits a weight", "kilobytes", "weight error", "output error"],
        [.. report.Layers.Select(layer => (IReadOnlyList<object?>)
        [
            layer.Name, layer.Scheme.ToString(), layer.Weights, Math.Round(layer.BitsPerWeight, 2),
            Math.Round(layer.Bytes / 1e3, 1), Share(layer.WeightError), layer.OutputError is { } error ? Share(error) : "",
        ])])) + string.Create(CultureInfo.InvariantCulture,
            $"\n{report.BitsPerWeight:0.##} bits a weight, {report.Bytes / 1e6:0.##} MB; {report.OtherWeights:N0} other parameters");

    private static Html Output(QuantizedLayer layer, double largest) => layer.OutputError is { } error
        ? ShadedCell.Draw(Share(error), error / largest) : Html.Of($"<td></td>");

    private static double Largest(QuantizationReport report, Func<QuantizedLayer, double> error) =>
        Math.Max(1e-30, report.Layers.Select(error).Where(double.IsFinite).DefaultIfEmpty(0).Max());

    private static string Kilobytes(double bytes) => (bytes / 1e3).ToString("N1", CultureInfo.InvariantCulture);

    private static string Share(double share) => share.ToString("0.00 %", CultureInfo.InvariantCulture);
}
