using System.Globalization;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Formats a tensor for a terminal: one line of facts, and the values if they are few.</summary>
internal static class TensorText
{
    private const int MostValues = 100;

    public static string Write(Tensor tensor)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var summary = TensorSummary.Of(tensor);
        return Values(tensor, summary) is { } values ? $"{Line(summary)}\n{values}" : Line(summary);
    }

    private static string Line(TensorSummary summary)
    {
        List<string> parts = summary.Device.Length == 0 ? [summary.Type]
            : [$"{summary.Type} {summary.Shape}", summary.Device, Numbers.Bytes(summary.Bytes)];
        if (summary.Statistics is { Finite: > 1 } values)
            parts.AddRange([
                Sparkline.Text(values.Histogram.Counts),
                $"{(summary.IsComplex ? "|z| " : "")}mean {Numbers.Short(values.Mean)} ± "
                    + $"{Numbers.Short(values.StandardDeviation)}",
                $"{Numbers.Short(values.Minimum)} … {Numbers.Short(values.Maximum)}"]);
        return string.Join(" · ", parts.Concat(summary.Flags().Select(flag => flag.Text)));
    }

    /// <summary>
    /// Returns the values in rows, with an empty line between matrices; null if there are none or too many.
    /// </summary>
    public static string? Values(Tensor tensor, TensorSummary summary)
    {
        if (summary.Statistics is null || tensor.numel() > MostValues) return null;
        var cells = Cells(tensor.is_sparse ? tensor.detach().to_dense() : tensor.detach());
        var columns = tensor.dim() == 0 ? 1 : (int)tensor.size(-1);
        var rows = tensor.dim() < 2 ? 1 : (int)tensor.size(-2);
        var width = cells.Max(cell => cell.Length);
        var lines = cells.Chunk(columns).Select(row => string.Join("  ", row.Select(cell => cell.PadLeft(width))));
        return string.Join("\n\n", lines.Chunk(rows).Select(plane => string.Join('\n', plane)));
    }

    private static string[] Cells(Tensor values)
    {
        if (values.dtype == ScalarType.Int64)   // exact; doubles would round
            return [.. values.cpu().contiguous().data<long>().Select(value => value.ToString(CultureInfo.InvariantCulture))];
        if (values.dtype == ScalarType.Bool)
            return [.. TensorStatisticsPieces.Doubles(values).Select(value => value == 0 ? "false" : "true")];
        if (values.dtype is ScalarType.Byte or ScalarType.Int8 or ScalarType.Int16 or ScalarType.Int32)
            return [.. TensorStatisticsPieces.Doubles(values).Select(value => value.ToString("0", CultureInfo.InvariantCulture))];
        if (values.dtype is not (ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64))
            return [.. TensorStatisticsPieces.Doubles(values).Select(Numbers.Short)];
        var pairs = TensorStatisticsPieces.Doubles(values.resolve_conj().view_as_real()).Chunk(2);
        return [.. pairs
            .Select(pair => $"{Numbers.Short(pair[0])}{(double.IsNegative(pair[1]) ? "" : "+")}{Numbers.Short(pair[1])}i")];
    }
}
