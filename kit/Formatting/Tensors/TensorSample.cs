using System.Numerics;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>A sample along one axis: every <paramref name="Step"/>-th index from 0.</summary>
/// <param name="Length">Length of the axis.</param>
/// <param name="Step">Distance between the indexes shown.</param>
internal readonly record struct SampledAxis(long Length, long Step)
{
    public static SampledAxis AtMost(long length, long shown) => new(length, Math.Max(1, (length + shown - 1) / shown));

    public int Shown => (int)((Length + Step - 1) / Step);

    public IEnumerable<long> Indexes
    {
        get
        {
            var step = Step;
            return Enumerable.Range(0, Shown).Select(index => index * step);
        }
    }

    /// <summary>Returns a caption such as "rows 0, 8, 16 …"; null if all are shown.</summary>
    public string? Caption(string noun) => Step == 1 ? null : $"{noun} 0, {Step}, {2 * Step} …";
}

/// <summary>One panel: values row by row, with one channel or three.</summary>
internal sealed record TensorPanel(string Label, double[] Values, int Rows, int Columns, int Channels = 1);

/// <summary>
/// The sampled values of a tensor that are drawn, read by strided slicing so that the whole tensor is never
/// copied.
/// </summary>
/// <param name="Panels">The panels, one for each leading index that is shown.</param>
/// <param name="AreImages">Whether the panels are drawn as images instead of heat maps.</param>
/// <param name="Caption">Caption that says which indexes are shown; empty if all are.</param>
internal sealed record TensorSample(IReadOnlyList<TensorPanel> Panels, bool AreImages, string Caption)
{
    private const int MostPanels = 16;
    private const int LineCells = 256;
    private const int MapCells = 65_536;     // of all panels together
    private const int ImagePixels = 36_864;  // of all panels together

    /// <summary>Samples a tensor.</summary>
    /// <param name="values">A dense tensor with at least one axis and one element.</param>
    /// <param name="statistics">Statistics of the whole tensor.</param>
    public static TensorSample Of(Tensor values, TensorStatistics statistics)
    {
        if (values.dim() == 1)
        {
            var axis = SampledAxis.AtMost(values.size(0), LineCells);
            return new TensorSample([new("", Read(values.slice(0, 0, axis.Length, axis.Step)), 1, axis.Shown)], false,
                Note([axis.Caption("elements")]));
        }
        return values.dim() >= 3 && LooksLikeImage(values, statistics) ? Images(values) : Maps(values);
    }

    private static TensorSample Maps(Tensor values)
    {
        var leading = values.shape[..^2];
        var places = Places(leading, MostPanels, out var left);
        var side = Math.Min(128, (long)Math.Sqrt(MapCells / places.Count));
        var rows = SampledAxis.AtMost(values.size(-2), side);
        var columns = SampledAxis.AtMost(values.size(-1), side);
        var panels = places.Select(place => new TensorPanel(
            leading.Length == 0 ? "" : $"[{string.Join(", ", place)}]", Read(Sliced(At(values, place), rows, columns)),
                rows.Shown, columns.Shown));
        return new TensorSample([.. panels], false, Note([left, rows.Caption("rows"), columns.Caption("columns")]));
    }

    private static TensorSample Images(Tensor values)
    {
        var leading = values.shape[..^3];
        var channels = (int)values.size(-3);
        var places = Places(leading, MostPanels, out var left);
        var side = Math.Min(192, (long)Math.Sqrt(ImagePixels / places.Count));
        var rows = SampledAxis.AtMost(values.size(-2), side);
        var columns = SampledAxis.AtMost(values.size(-1), side);
        var panels = places.Select(place => new TensorPanel(
            leading.Length == 0 ? "" : $"[{string.Join(", ", place)}]",
            Read(Sliced(At(values, place), rows, columns).permute(1, 2, 0)), rows.Shown, columns.Shown, channels));
        return new TensorSample([.. panels], true, Note([left, rows.Caption("rows"), columns.Caption("columns")]));
    }

    /// <summary>
    /// Returns whether a tensor looks like images: [.., 1 or 3, height, width], of bytes or of values in 0 … 1 or 0
    /// … 255, and not too small.
    /// </summary>
    private static bool LooksLikeImage(Tensor values, TensorStatistics statistics) =>
        values.dim() is 3 or 4 && values.size(-3) is 1 or 3 && values.size(-1) >= 16 && values.size(-2) >= 16
        && values.dtype
        is ScalarType.Byte or ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Float32 or ScalarType.Float64
        && statistics.Finite == statistics.Count && statistics.Minimum >= 0 && statistics.Maximum <= 255;

    /// <summary>
    /// Returns at most <paramref name="most"/> combinations of the leading indexes, spread evenly over all.
    /// </summary>
    private static List<long[]> Places(long[] leading, int most, out string? left)
    {
        var total = leading.Aggregate(1L, (product, size) => product * size);
        var axis = SampledAxis.AtMost(total, most);
        while (leading.Length > 1 && axis.Step > 1 && BigInteger.GreatestCommonDivisor(axis.Step, leading[^1]) != 1)
            axis = axis with { Step = axis.Step + 1 };   // coprime, so that the last leading index varies too
        left = axis.Step == 1 ? null : $"{axis.Shown} of {Numbers.Count(total)} planes";
        return [.. axis.Indexes.Select(index => Unravel(index, leading))];
    }

    private static long[] Unravel(long index, long[] sizes)
    {
        var place = new long[sizes.Length];
        for (var axis = sizes.Length - 1; axis >= 0; axis--) (index, place[axis]) = Math.DivRem(index, sizes[axis]);
        return place;
    }

    private static Tensor At(Tensor values, long[] place) => place.Aggregate(values, (rest, index) => rest.select(0, index));

    private static Tensor Sliced(Tensor plane, SampledAxis rows, SampledAxis columns) =>
        plane.slice(-2, 0, rows.Length, rows.Step).slice(-1, 0, columns.Length, columns.Step);

    private static double[] Read(Tensor values) => TensorStatisticsPieces.Doubles(values);

    private static string Note(IEnumerable<string?> parts)
    {
        var said = string.Join("; ", parts.OfType<string>());
        return said.Length == 0 ? "" : $"showing {said}";
    }
}
