using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>
/// Integrated gradients averaged over baselines, by samples: the gradient at a random point between a random baseline and the
/// noisy input, times their difference.
/// </summary>
/// <remarks>
/// Expected gradients, Erion et al., 2021, https://arxiv.org/abs/1906.10670; Lundberg and Lee's GradientExplainer. The
/// attributions sum to the score less the baselines' mean in expectation only; the gap is that of the samples.
/// </remarks>
public sealed record GradientShap : AttributionMethod
{
    /// <summary>[baselines, ...] of an example's shape.</summary>
    public required Tensor BaselineSet { get; init; }

    /// <summary>Samples of each example.</summary>
    public int Samples { get; init; } = 200;

    /// <summary>Standard deviation of the noise that is added to the input; 0 for none.</summary>
    public double NoiseStandardDeviation { get; init; }

    /// <summary>Seed of the samples.</summary>
    public int Seed { get; init; }

    /// <summary>The largest completeness gap that counts as none, relative to the change of the score.</summary>
    public double Tolerance { get; init; } = 0.2;

    /// <inheritdoc/>
    public override string Name => "gradient SHAP";

    internal override void Check()
    {
        Require.AtLeast(1, Samples);
        Require.NotNegative(NoiseStandardDeviation);
    }

    internal override Found Explain(Explained explained, Tensor input)
    {
        var set = Baselines.Set(BaselineSet, input);
        using var generator = new Generator((ulong)Seed, CPU);
        var sum = zeros_like(input);
        var tail = Enumerable.Repeat(1L, (int)input.dim() - 1).ToArray();
        explained.InParts(Samples, (from, to) =>
        {
            using var scope = NewDisposeScope();
            var rows = (to - from) * input.shape[0];
            var chosen = set.index_select(0, randint(0, set.shape[0], [rows], dtype: int64, generator: generator).to(set.device));
            var noise = randn([rows, .. input.shape.Skip(1)], dtype: input.dtype, generator: generator).to(input.device);
            var end = input.repeat([to - from, .. tail]) + (NoiseStandardDeviation * noise);
            var alpha = rand([rows, .. tail], dtype: input.dtype, generator: generator).to(input.device);
            var (_, gradient) = explained.Gradient(chosen + (alpha * (end - chosen)));
            sum.add_((gradient * (end - chosen)).view([to - from, .. input.shape]).sum(dim: 0));
        });
        var values = sum / Samples;
        var baselines = explained.ScoresOf((int)set.shape[0], (from, to) =>
            set[from..to].unsqueeze(1).expand([to - from, .. input.shape]).flatten(0, 1)).mean([0]);
        return new Found(values) { Notes = [$"{Samples} samples of {set.shape[0]} baselines, seed {Seed}"] }
            .Complete(values.flatten(1).sum(dim: 1), explained.Scores(input) - baselines, Tolerance);
    }
}
