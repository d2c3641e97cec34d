using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Tensors;

/// <summary>Statistics of the values of a tensor, from one pass over them.</summary>
/// <param name="Count">Number of elements.</param>
/// <param name="Mean">Mean of the finite elements; NaN where there is none.</param>
/// <param name="StandardDeviation">Sample standard deviation of the finite elements (divisor n − 1, as in
/// PyTorch); NaN for fewer than two.</param>
/// <param name="Minimum">Smallest finite element; NaN where there is none.</param>
/// <param name="Maximum">Largest finite element; NaN where there is none.</param>
/// <param name="NaN">Elements that are not a number.</param>
/// <param name="PositiveInfinity">Elements that are +∞.</param>
/// <param name="NegativeInfinity">Elements that are −∞.</param>
/// <param name="Zeros">Elements that are exactly zero.</param>
/// <param name="Histogram">Distribution of the finite elements between minimum and maximum.</param>
public sealed record TensorStatistics(
    long Count, double Mean, double StandardDeviation, double Minimum, double Maximum,
    long NaN, long PositiveInfinity, long NegativeInfinity, long Zeros, TensorHistogram Histogram)
{
    /// <summary>Number of elements of the largest sparse tensor that is converted to a dense one.</summary>
    private const long LargestDensified = 1L << 24;

    /// <summary>Elements that are neither NaN nor infinite.</summary>
    public long Finite => Count - NaN - PositiveInfinity - NegativeInfinity;

    /// <summary>
    /// Computes the statistics of a tensor of any shape and dtype. Its memory is read once, in pieces, and the
    /// whole is not copied.
    /// </summary>
    /// <remarks>
    /// Complex values count as their magnitude, booleans as 0 and 1, and quantized values as the numbers that they
    /// represent; 64-bit integers are rounded to doubles. The result is the same in every run on one machine, with
    /// any number of threads.
    /// </remarks>
    /// <param name="tensor">Tensor of any shape, also a view. It is not changed, and no gradient is
    /// recorded.</param>
    /// <exception cref="ArgumentException">The tensor has no values: it was disposed, or is on the meta device.</exception>
    public static TensorStatistics Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.IsInvalid) throw new ArgumentException("The tensor was disposed, so it has no values.", nameof(tensor));
        if (tensor.is_meta) throw new ArgumentException("A tensor on the meta device has a shape but no values.", nameof(tensor));
        if (tensor.is_sparse && tensor.numel() > LargestDensified)
            throw new ArgumentException($"A sparse tensor of {tensor.numel():N0} elements is too large to be made dense; "
            + $"expected at most {LargestDensified:N0}.", nameof(tensor));

        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var values = tensor.is_sparse ? tensor.detach().to_dense() : tensor.detach();
        var pass = new TensorStatisticsPass(values.numel(), values.dim() == 0 ? 1 : values.size(-1));
        TensorStatisticsPieces.Read(values, pass);
        return pass.Result();
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        FormattableString summary =
            $"{Count:N0} elements · mean {Mean:G4} · deviation {StandardDeviation:G4} · {Minimum:G4} … {Maximum:G4}";
        var text = summary.ToString(CultureInfo.InvariantCulture);
        if (NaN > 0) text += string.Create(CultureInfo.InvariantCulture, $" · {NaN:N0} NaN");
        var infinite = PositiveInfinity + NegativeInfinity;
        return infinite > 0 ? text + string.Create(CultureInfo.InvariantCulture, $" · {infinite:N0} Inf") : text;
    }
}
