using System.Runtime.InteropServices;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Draws a tensor: one line of facts, then its values as a line, heat maps or images.</summary>
internal static class TensorView
{
    /// <summary>Maximum number of elements of a sparse or quantized tensor that is converted for drawing.</summary>
    private const long LargestConverted = 1L << 24;

    public static Html Draw(Tensor tensor)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var summary = TensorSummary.Of(tensor);
        return Theme.Output(Html.Of($"{Line(summary)}{Picture(tensor, summary)}"));
    }

    /// <summary>Draws the line of facts: shape, dtype, device, size, histogram, moments, flags.</summary>
    private static Html Line(TensorSummary summary)
    {
        var flags = summary.Flags().Select(
            flag => Html.Of($"<span class=\"rk-flag{(flag.Bad ? " rk-bad" : "")}\">{flag.Text}</span>"));
        if (summary.Device.Length == 0) return Html.Of($"<div class=\"rk-line\"><b>{summary.Type}</b>{flags}</div>");
        return Html.Of($"""
            <div class="rk-line"><b>{summary.Type}</b><b class="rk-num">{summary.Shape}</b>
            <span class="rk-mute rk-num">{summary.Device} · {Numbers.Bytes(summary.Bytes)}</span>{Moments(summary)}{flags}</div>
            """);
    }

    private static Html Moments(TensorSummary summary)
    {
        if (summary.Statistics is not { Finite: > 1 } values) return Html.Empty;
        var range = $"{Numbers.Short(values.Minimum)} … {Numbers.Short(values.Maximum)}";
        return Html.Of($"""
            {Sparkline.Picture(values.Histogram.Counts, $"histogram from {range}, heights are square roots")}
            <span class="rk-num">{(summary.IsComplex ? "|z| " : "")}mean {Numbers.Short(values.Mean)} ± {Numbers.Short(values.StandardDeviation)}</span>
            <span class="rk-num">min {Numbers.Short(values.Minimum)}</span><span class="rk-num">max {Numbers.Short(values.Maximum)}</span>
            """);
    }

    private static Html Picture(Tensor tensor, TensorSummary summary)
    {
        if (summary.Statistics is not { } statistics) return Html.Empty;
        var small = TensorText.Values(tensor, summary);
        if (tensor.dim() == 0) return Html.Of($"<pre>{small}</pre>");
        try
        {
            var plain = Plain(tensor.detach());
            var sample = TensorSample.Of(plain, statistics);
            var values = small is null ? Html.Empty
                : Html.Of($"<details><summary class=\"rk-cap\">values</summary><pre>{small}</pre></details>");
            var browser = sample.AreImages ? Html.Empty
                : TensorBrowser.Draw(plain, ColorScale.Of([statistics.Minimum, statistics.Maximum]));
            return Html.Of($"{Panels(sample, statistics, summary)}{browser}{values}");
        }
        catch (Exception error) when (
            error is ExternalException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            return Html.Of($"<div class=\"rk-cap\">no picture: this layout cannot be sliced</div>");
        }
    }

    private static Html Panels(TensorSample sample, TensorStatistics statistics, TensorSummary summary)
    {
        if (summary.Sizes.Count == 1)
            return Html.Of($"{TensorStrip.Draw(sample.Panels[0].Values, statistics)}{Caption(sample, Html.Empty)}");
        var scale = new ColorScale(statistics.Minimum, statistics.Maximum);
        var figures = sample.Panels.Select(panel => sample.AreImages
            ? HeatMap.Image(panel, statistics.Maximum > 1 ? 255 : 1, sample.Panels.Count)
            : HeatMap.Draw(panel, scale, sample.Panels.Count));
        var legend = sample.AreImages ? Html.Empty : Html.Of($"{scale.Bar()}{Legend(statistics)}");
        return Html.Of($"<div class=\"rk-many\">{figures}</div>{Caption(sample, legend)}");
    }

    private static Html Caption(TensorSample sample, Html legend) =>
        sample.Caption.Length == 0 && legend == Html.Empty ? Html.Empty
        : Html.Of($"<div class=\"rk-line rk-cap\">{legend}<span>{sample.Caption}</span></div>");

    private static IEnumerable<Html> Legend(TensorStatistics statistics)
    {
        if (statistics.NaN > 0) yield return ColorScale.Key(ColorScale.NaN, "NaN");
        if (statistics.PositiveInfinity > 0) yield return ColorScale.Key(ColorScale.PositiveInfinity, "+Inf");
        if (statistics.NegativeInfinity > 0) yield return ColorScale.Key(ColorScale.NegativeInfinity, "−Inf");
    }

    /// <summary>Converts a tensor to dense and unquantized, so that it can be sliced.</summary>
    private static Tensor Plain(Tensor values)
    {
        var quantized = values.dtype is ScalarType.QInt8 or ScalarType.QUInt8 or ScalarType.QInt32;
        if (!values.is_sparse && !quantized) return values;
        if (values.numel() > LargestConverted)
            throw new NotSupportedException($"The tensor has {values.numel()} elements; "
                + $"at most {LargestConverted} can be converted to be drawn.");
        return quantized ? values.dequantize() : values.to_dense();
    }
}
