using ResearchKit.Interpretability;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>Numbers that say how far attributions describe a model.</summary>
public static class Faithfulness
{
    /// <summary>
    /// The Pearson correlation, over random subsets of features, of the summed attributions and the fall of the score when the
    /// subset is replaced by the baseline.
    /// </summary>
    /// <remarks>
    /// Bhatt, Weller and Moura, 2020, https://arxiv.org/abs/2005.00631. Integrated gradients of a linear model have 1.
    /// </remarks>
    /// <param name="model">The model.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number that was explained.</param>
    /// <param name="attributions">[batch, ...], of the input's shape.</param>
    /// <param name="options">The subsets; null for the defaults.</param>
    /// <returns>One number for each example; NaN where nothing varies.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static double[] Correlation(Module<Tensor, Tensor> model, Tensor input, Target target, Tensor attributions,
        PerturbationOptions? options = null)
    {
        options ??= new PerturbationOptions();
        Infidelity.Fits(input, attributions, nameof(attributions));
        Require.AtLeast(2, options.Samples);
        using var scope = NewDisposeScope();
        var groups = FeatureGroups.Of(options.Groups, input);
        var baseline = Baselines.Of(options.Baseline, input);
        using var explained = new Explained(model, target, input, options.BatchSize);
        var size = Math.Clamp((int)Math.Round(options.SubsetShare * groups.Count), 1, groups.Count);
        using var generator = new Generator((ulong)options.Seed, CPU);
        var chosen = rand([options.Samples, groups.Count], generator: generator).argsort(dim: 1).argsort(dim: 1).lt(size)
            .to(input.device);   // bool [samples, groups]
        var scores = explained.ScoresOf(options.Samples, (from, to) =>
            groups.Apply(chosen[from..to].logical_not(), input, baseline));
        var fall = (explained.Scores(input) - scores).to(float64);   // [samples, batch]
        var sums = chosen.to(float64).matmul(groups.Gather(attributions).to(float64).t());
        return Pearson(sums, fall).cpu().data<double>().ToArray();
    }

    /// <summary>
    /// The Gini index of the absolute attributions: 0 when all are equal, near 1 when one has everything.
    /// </summary>
    /// <remarks>Chalasani et al., 2020, https://arxiv.org/abs/1810.06583.</remarks>
    /// <param name="attributions">[batch, ...].</param>
    /// <returns>One number for each example; 0 where all attributions are 0.</returns>
    public static double[] Sparseness(Tensor attributions)
    {
        ArgumentNullException.ThrowIfNull(attributions);
        using var scope = NewDisposeScope();
        var sorted = attributions.detach().to(float64).abs().flatten(1).sort(dim: 1).Values;
        var count = sorted.shape[1];
        var rank = arange(1, count + 1, dtype: float64, device: sorted.device);
        var total = sorted.sum(dim: 1);
        return (((2 * rank - count - 1) * sorted).sum(dim: 1) / (count * where(total.eq(0), 1, total))).cpu()
            .data<double>().ToArray();
    }

    /// <summary>Spearman's rank correlation of two sets of attributions, example by example.</summary>
    /// <param name="first">[batch, ...].</param>
    /// <param name="second">[batch, ...].</param>
    /// <returns>One number for each example.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static double[] RankCorrelation(Tensor first, Tensor second)
    {
        Infidelity.Fits(first, second, nameof(second));
        using var scope = NewDisposeScope();
        return Pearson(Ranks(first).t(), Ranks(second).t()).cpu().data<double>().ToArray();
    }

    /// <summary>Ranks of each example's values; equal values share their mean rank.</summary>
    private static Tensor Ranks(Tensor values)
    {
        var flat = values.detach().to(float64).flatten(1);
        var sorted = flat.sort(dim: 1).Values.contiguous();
        var below = searchsorted(sorted, flat.contiguous(), right: false).to(float64);
        return (below + searchsorted(sorted, flat.contiguous(), right: true).to(float64)) / 2;
    }

    /// <summary>The correlation of columns: [rows, columns] to [columns].</summary>
    private static Tensor Pearson(Tensor a, Tensor b)
    {
        var (x, y) = (a - a.mean([0], keepdim: true), b - b.mean([0], keepdim: true));
        return (x * y).sum(dim: 0) / (x.square().sum(dim: 0) * y.square().sum(dim: 0)).sqrt();
    }
}
