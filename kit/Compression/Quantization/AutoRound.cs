using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// AutoRound: learns whether each weight is rounded up or down, and how much each group's range is shrunk, by steps along the
/// sign of the gradient of the layer's squared output error.
/// </summary>
/// <remarks>
/// Cheng et al., 2023, https://arxiv.org/abs/2309.05516. Here the error is that of one layer, where the reference code takes a
/// block of layers, and a step's inputs are drawn from a normal distribution with the second moment of the calibration data. Few
/// inputs a step work better than many: the sign of an exact gradient lets roundings that hardly matter flip for ever. The result
/// of the best step is kept, and the first is rounding to nearest, so it is never worse than that on the calibration data.
/// </remarks>
public sealed record AutoRound : Rounding
{
    /// <summary>Steps of the descent.</summary>
    public int Steps { get; init; } = 200;

    /// <summary>Length of the first step; it falls linearly to zero. Null for 1 / <see cref="Steps"/>.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Inputs drawn for a step.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Seed of the drawn inputs.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether the ranges of the groups are learnt too.</summary>
    public bool LearnsRange { get; init; } = true;

    /// <summary>Share of a step's length by which the ends of a range move.</summary>
    public double RangeStep { get; init; } = 0.02;

    /// <inheritdoc/>
    public override bool NeedsInputs => true;

    /// <inheritdoc/>
    internal override void Check(QuantizationScheme scheme)
    {
        Require.AtLeast(1, Steps);
        Require.AtLeast(1, BatchSize);
        Require.Positive(RangeStep);
        if (LearningRate is { } rate) Require.Positive(rate, nameof(LearningRate));
        if (scheme.CodeBook is { } book)
            throw new ArgumentException($"AutoRound rounds to evenly spaced codes; {book.Name} is a code book.", nameof(scheme));
    }

    /// <inheritdoc/>
    public override QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null)
    {
        scheme.Check();
        Check(scheme);
        using var scope = NewDisposeScope();
        var moment = InputMoments.Required(weight, inputs, nameof(AutoRound));
        var groups = QuantizedTensor.Groups(weight, scheme);
        using var search = new RoundingSearch(groups, scheme, moment, Seed);
        var rate = LearningRate ?? 1.0 / Steps;
        var range = LearnsRange ? RangeStep : 0;
        for (var step = 0; step < Steps; step++) search.Step(rate * (Steps - step) / Steps, BatchSize, range);
        var (codes, grid) = search.Best();
        return QuantizedTensor.OfCodes(weight, codes, grid);
    }
}
