using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Moves a factor for each channel from the inputs of linear layers into their weights before they are rounded. Before rounding
/// the model computes the same.
/// </summary>
public abstract record InputScaling
{
    private protected InputScaling()
    {
    }

    /// <summary>The places where factors can move; null for those of the kit's models, <see cref="FoldSite.Of"/>.</summary>
    public IReadOnlyList<FoldSite>? Sites { get; init; }

    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    internal abstract void Check();

    /// <summary>Finds the factors of one place.</summary>
    /// <param name="readers">The layers that read the same inputs; their scheme is null where they stay as they are.</param>
    /// <param name="inputs">What they read.</param>
    /// <returns>float32 [in], all above 0; the caller disposes it.</returns>
    internal abstract Tensor Factors(IReadOnlyList<(Tensor Weight, QuantizationScheme? Scheme)> readers, InputMoments inputs);
}

/// <summary>
/// SmoothQuant: shares outliers of the inputs between inputs and weights, for schemes that round both.
/// </summary>
/// <remarks>
/// Xiao et al., 2022, https://arxiv.org/abs/2211.10438; the arithmetic of <see cref="Smoothing"/>. A channel that was always zero
/// keeps the factor 1.
/// </remarks>
public sealed record SmoothQuant : InputScaling
{
    /// <summary>0 to 1: how much of the outliers moves into the weights.</summary>
    public double Alpha { get; init; } = 0.5;

    /// <inheritdoc/>
    internal override void Check() => Require.That(Alpha is >= 0 and <= 1, Alpha, nameof(Alpha), "0 to 1");

    /// <inheritdoc/>
    internal override Tensor Factors(IReadOnlyList<(Tensor Weight, QuantizationScheme? Scheme)> readers, InputMoments inputs)
    {
        using var scope = NewDisposeScope();
        var factors = Smoothing.Factors(inputs.Largest, [.. readers.Select(reader => reader.Weight)], Alpha);
        return factors.masked_fill(inputs.Largest == 0, 1).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// AWQ, activation-aware weight quantization: enlarges the weights that read large inputs, as far as that makes the outputs of
/// the rounded layers better on the calibration data.
/// </summary>
/// <remarks>
/// Lin et al., 2023, https://arxiv.org/abs/2306.00978; the search of the reference code, with the output error of the layers that
/// share the inputs. A factor is the channel's mean magnitude to some power; the powers from 0 (no factor) to below 1 are tried.
/// </remarks>
public sealed record Awq : InputScaling
{
    private const double Least = 1e-4;

    /// <summary>Powers that are tried: 0, 1/<see cref="Steps"/>, 2/<see cref="Steps"/> …</summary>
    public int Steps { get; init; } = 20;

    /// <summary>
    /// Whether a factor is also divided by the channel's mean weight to the rest of the power ("duo scaling"). Weights count by
    /// their size within the row's group.
    /// </summary>
    public bool UsesWeights { get; init; }

    /// <inheritdoc/>
    internal override void Check() => Require.AtLeast(1, Steps);

    /// <inheritdoc/>
    internal override Tensor Factors(IReadOnlyList<(Tensor Weight, QuantizationScheme? Scheme)> readers, InputMoments inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var best = ones_like(inputs.MeanMagnitudes);
        var least = Error(readers, best, inputs);
        var weights = UsesWeights ? WeightMeans(readers) : null;
        for (var step = UsesWeights ? 0 : 1; step < Steps; step++)
        {
            using var inner = NewDisposeScope();
            var factors = Tried((double)step / Steps, inputs.MeanMagnitudes, weights);
            var error = Error(readers, factors, inputs);
            if (!(error < least)) continue;
            least = error;
            best.copy_(factors);
        }
        return best.MoveToOuterDisposeScope();
    }

    private static Tensor Tried(double power, Tensor means, Tensor? weights)
    {
        var factors = means.pow(power);
        if (weights is not null) factors = factors / (weights.pow(1 - power) + Least);
        factors = factors.clamp(min: Least);
        return factors / (factors.max() * factors.min()).sqrt();
    }

    /// <summary>Sum of the squared output errors of the rounded layers.</summary>
    private static double Error(
        IReadOnlyList<(Tensor Weight, QuantizationScheme? Scheme)> readers, Tensor factors, InputMoments inputs)
    {
        using var scope = NewDisposeScope();
        return readers.Sum(reader =>
        {
            if (reader.Scheme is null) return 0;
            using var made = QuantizedTensor.Round(reader.Weight * factors, reader.Scheme);
            return inputs.Energy((made.Dequantize() / factors) - reader.Weight);
        });
    }

    /// <summary>Mean over all rows of a weight's magnitude as a share of the largest of its group, [in].</summary>
    private static Tensor WeightMeans(IReadOnlyList<(Tensor Weight, QuantizationScheme? Scheme)> readers) =>
        cat([.. readers.Where(reader => reader.Scheme is not null).Select(reader =>
        {
            var groups = QuantizedTensor.Groups(reader.Weight, reader.Scheme!).abs();
            return (groups / (groups.amax([-1L], keepdim: true) + 1e-6)).flatten(1);
        })]).mean([0L]);
}
