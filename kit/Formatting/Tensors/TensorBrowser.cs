using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws the planes of a tensor below one another in one image, of which a script shows one at a time, chosen by a slider for
/// each leading axis. Without the script all are visible.
/// </summary>
internal static class TensorBrowser
{
    private const int MostPlanes = 96, MostCells = 24_576, LongestSide = 48;

    private static readonly Html Script = Html.Script("TensorBrowser.js");

    /// <summary>Draws the browser; nothing for a tensor of fewer than three axes or of one plane.</summary>
    /// <param name="values">A dense tensor.</param>
    /// <param name="scale">Colors of the values.</param>
    public static Html Draw(Tensor values, ColorScale scale)
    {
        if (values.dim() < 3) return Html.Empty;
        var axes = Axes(values.shape[..^2]);
        var planes = axes.Aggregate(1, (product, axis) => product * axis.Shown);
        if (planes < 2) return Html.Empty;
        var side = Math.Clamp((long)Math.Sqrt(MostCells / planes), 4, LongestSide);
        var rows = SampledAxis.AtMost(values.size(-2), side);
        var columns = SampledAxis.AtMost(values.size(-1), side);
        var sampled = values;
        for (var axis = 0; axis < axes.Length; axis++) sampled = sampled.slice(axis, 0, axes[axis].Length, axes[axis].Step);
        sampled = sampled.slice(-2, 0, rows.Length, rows.Step).slice(-1, 0, columns.Length, columns.Step);
        var cells = Array.ConvertAll(TensorStatisticsPieces.Doubles(sampled), scale.IndexOf);
        var cell = Math.Clamp(192 / Math.Max(rows.Shown, columns.Shown), 3, 16);
        var png = PngImage.DataUri(PngImage.Indexed(columns.Shown, rows.Shown * planes, cells, scale.Palette));
        var sliders = axes.Select((axis, number) => axis.Shown == 1 ? Html.Empty : Html.Of($"""
            <label>axis {number} <input type="range" min="0" max="{axis.Shown - 1}" value="0" data-step="{axis.Step}" data-shown="{axis.Shown}"/></label>
            """));
        var note = string.Join("; ", axes.Append(rows).Append(columns).Select((axis, number) =>
            axis.Caption($"axis {number} at")).OfType<string>());
        return Html.Of($"""
            <details><summary class="rk-cap">browse {Numbers.Count(planes, "plane")}</summary>
            <div class="rk-browse" data-height="{rows.Shown * cell}"><div class="rk-line" hidden="hidden">{sliders}<output class="rk-num"></output></div>
            <span class="rk-map"><img src="{png}" width="{columns.Shown * cell}" height="{rows.Shown * planes * cell}" alt="{Numbers.Count(planes, "plane")}, one below the other"/></span>
            <div class="rk-cap">{(note.Length == 0 ? "" : $"showing {note}")}</div></div>{Script}</details>
            """);
    }

    /// <summary>Samples the leading axes, the longest first, until the planes are few enough.</summary>
    private static SampledAxis[] Axes(long[] leading)
    {
        var shown = leading.ToArray();
        while (shown.Aggregate(1L, (product, size) => product * Math.Min(size, MostPlanes + 1)) > MostPlanes)
        {
            var longest = Array.IndexOf(shown, shown.Max());
            shown[longest] = Math.Min(MostPlanes, (shown[longest] + 1) / 2);
        }
        return [.. leading.Select((size, axis) => SampledAxis.AtMost(size, Math.Max(1, shown[axis])))];
    }
}
