using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>Which statistic of the noisy gradients is reported.</summary>
public enum SmoothGradKind
{
    /// <summary>Their mean (SmoothGrad).</summary>
    Mean,

    /// <summary>The mean of their squares (SmoothGrad-Squared, Hooker et al., 2019).</summary>
    Squared,

    /// <summary>The mean of their squares less the square of their mean (VarGrad, Adebayo et al., 2018).</summary>
    Variance,
}

/// <summary>The gradient averaged over inputs with added noise.</summary>
/// <remarks>Smilkov et al., 2017, https://arxiv.org/abs/1706.03825. It does not sum to the score.</remarks>
public sealed record SmoothGrad : AttributionMethod
{
    /// <summary>Number of noisy inputs.</summary>
    public int Samples { get; init; } = 25;

    /// <summary>
    /// Standard deviation of the noise, as a share of the difference of an example's largest and smallest value.
    /// </summary>
    public double NoiseLevel { get; init; } = 0.15;

    /// <summary>Seed of the noise.</summary>
    public int Seed { get; init; }

    /// <summary>The noise itself, [samples, batch, ...], instead of drawn noise; null to draw it.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>Which statistic is reported.</summary>
    public SmoothGradKind Kind { get; init; }

    /// <inheritdoc/>
    public override string Name => Kind switch
    {
        SmoothGradKind.Squared => "SmoothGrad squared",
        SmoothGradKind.Variance => "VarGrad",
        _ => "SmoothGrad",
    };

    internal override void Check()
    {
        Require.AtLeast(1, Samples);
        Require.NotNegative(NoiseLevel);
    }

    internal override Found Explain(Explained explained, Tensor input)
    {
        var noise = Noise ?? Drawn(input);
        if (!noise.shape.AsSpan(1).SequenceEqual(input.shape))
            throw new ArgumentException($"Got noise {noise.ShapeText()} for an input {input.ShapeText()}; expected [samples, "
                + "batch, ...].");
        var (sum, squares) = (zeros_like(input), zeros_like(input));
        explained.InParts((int)noise.shape[0], (from, to) =>
        {
            using var scope = NewDisposeScope();
            var (_, gradient) = explained.Gradient((input + noise[from..to]).flatten(0, 1));
            var each = gradient.view([to - from, .. input.shape]);
            sum.add_(each.sum(dim: 0));
            squares.add_(each.square().sum(dim: 0));
        });
        var (mean, square) = (sum / noise.shape[0], squares / noise.shape[0]);
        return new Found(Kind switch
        {
            SmoothGradKind.Squared => square,
            SmoothGradKind.Variance => square - mean.square(),
            _ => mean,
        })
        {
            Notes = [Noise is null
                ? $"{Samples} samples, noise {NoiseLevel:g2} of the range, seed {Seed}" : $"{noise.shape[0]} given samples"],
        };
    }

    private Tensor Drawn(Tensor input)
    {
        using var generator = new Generator((ulong)Seed, CPU);
        var flat = input.flatten(1);
        var range = (flat.amax([1]) - flat.amin([1])).view([-1, .. Enumerable.Repeat(1L, (int)input.dim() - 1)]);
        var noise = randn([Samples, .. input.shape], dtype: input.dtype, generator: generator);
        return noise.to(input.device) * (NoiseLevel * range);
    }
}
