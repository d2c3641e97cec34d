using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>What a weight looks like: its distribution, its spectrum, and for convolutions its filters.</summary>
/// <param name="Name">Its name, such as <c>conv1.weight</c>.</param>
/// <param name="Shape">Length of each axis.</param>
/// <param name="Statistics">Statistics of its values, with a histogram.</param>
/// <param name="SingularValues">
/// Singular values, largest first, of the weight as a matrix of the first axis by all others; empty for a vector.
/// </param>
/// <param name="Filters">The filters of a convolution, [filter][channel, height, width]; empty for other weights.</param>
public sealed record WeightSummary(string Name, IReadOnlyList<long> Shape, TensorStatistics Statistics,
    IReadOnlyList<double> SingularValues, IReadOnlyList<double[,,]> Filters)
{
    private const int MostFilters = 256, MostChannels = 16;

    /// <summary>
    /// The stable rank: the sum of the squared singular values over the largest square, 1 for a matrix of rank one.
    /// </summary>
    public double StableRank => SingularValues.Count == 0 || SingularValues[0] == 0 ? 0
        : SingularValues.Sum(value => value * value) / (SingularValues[0] * SingularValues[0]);

    /// <summary>Summarises a weight.</summary>
    /// <param name="weight">A weight: [out, in], or [out, in, height, width] of a convolution; also a vector.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">It has no values, or a matrix has NaN or infinity.</exception>
    public static WeightSummary Of(Tensor weight, string name = "weight")
    {
        ArgumentNullException.ThrowIfNull(weight);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var statistics = TensorStatistics.Of(weight);
        if (statistics.Count == 0) throw new ArgumentException($"The weight {weight.ShapeText()} has no values.", nameof(weight));
        var wide = weight.detach().cpu().to(float64);
        var isMatrix = wide.dim() > 1;
        if (isMatrix && statistics.Finite < statistics.Count)
            throw new ArgumentException($"The weight {name} has {statistics.Count - statistics.Finite} values that are not "
                + "finite.", nameof(weight));
        var values = isMatrix ? linalg.svdvals(wide.flatten(1)).data<double>().ToArray() : [];
        return new WeightSummary(name, weight.shape, statistics, values, wide.dim() == 4 ? Images(wide) : []);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} [{string.Join(" × ", Shape)}]: " + FormattableString.Invariant(
        $"mean {Statistics.Mean:g3} ± {Statistics.StandardDeviation:g3}")
        + (SingularValues.Count > 0
            ? FormattableString.Invariant($", largest singular value {SingularValues[0]:g3}, stable rank {StableRank:0.#}") : "");

    private static List<double[,,]> Images(Tensor weight)
    {
        var channels = weight.shape[1] == 3 ? 3 : Math.Min(MostChannels, weight.shape[1]);
        var filters = new List<double[,,]>();
        for (var filter = 0; filter < Math.Min(MostFilters, weight.shape[0]); filter++)
        {
            var flat = weight[filter].narrow(0, 0, channels).contiguous().data<double>().ToArray();
            var image = new double[channels, weight.shape[2], weight.shape[3]];
            Buffer.BlockCopy(flat, 0, image, 0, flat.Length * sizeof(double));
            filters.Add(image);
        }
        return filters;
    }
}
