using ResearchKit.Interpretability;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>Scores while features are replaced by a baseline, or put back, in the order of their attributions.</summary>
/// <param name="Name">"deletion" or "insertion".</param>
/// <param name="Shares">The share of the features that were replaced or put back, from 0 to 1.</param>
/// <param name="Scores">[share][example].</param>
/// <remarks>Petsiuk, Das and Saenko, 2018, https://arxiv.org/abs/1806.07421.</remarks>
public sealed record PerturbationCurve(string Name, IReadOnlyList<double> Shares, IReadOnlyList<IReadOnlyList<double>> Scores)
{
    /// <summary>Mean score at each share.</summary>
    public IReadOnlyList<double> Means => [.. Scores.Select(row => row.Average())];

    /// <summary>The area under each example's curve. Small is good for deletion, large for insertion.</summary>
    public IReadOnlyList<double> Areas => [.. Enumerable.Range(0, Scores[0].Count).Select(example =>
        Enumerable.Range(1, Shares.Count - 1).Sum(at =>
            (Shares[at] - Shares[at - 1]) * (Scores[at][example] + Scores[at - 1][example]) / 2))];

    /// <summary>Replaces features by the baseline, those of the largest attribution first.</summary>
    /// <param name="model">The model.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number that was explained.</param>
    /// <param name="attributions">[batch, ...], of the input's shape.</param>
    /// <param name="options">How it is done; null for the defaults.</param>
    /// <exception cref="ArgumentException">Shapes do not fit, or there are fewer than one step.</exception>
    public static PerturbationCurve Deletion(Module<Tensor, Tensor> model, Tensor input, Target target, Tensor attributions,
        PerturbationOptions? options = null) =>
            Of("deletion", model, input, target, attributions, options ?? new(), insertion: false);

    /// <summary>Starts from the baseline and puts features back, those of the largest attribution first.</summary>
    /// <inheritdoc cref="Deletion"/>
    public static PerturbationCurve Insertion(Module<Tensor, Tensor> model, Tensor input, Target target, Tensor attributions,
        PerturbationOptions? options = null) =>
            Of("insertion", model, input, target, attributions, options ?? new(), insertion: true);

    /// <inheritdoc/>
    public override string ToString() =>
        FormattableString.Invariant($"{Name}: mean area {Areas.Average():g4} of {Areas.Count} examples");

    private static PerturbationCurve Of(string name, Module<Tensor, Tensor> model, Tensor input, Target target,
        Tensor attributions,
        PerturbationOptions options, bool insertion)
    {
        Infidelity.Fits(input, attributions, nameof(attributions));
        Require.AtLeast(1, options.Steps);
        using var scope = NewDisposeScope();
        var groups = FeatureGroups.Of(options.Groups, input);
        var baseline = Baselines.Of(options.Baseline, input);
        using var explained = new Explained(model, target, input, options.BatchSize);
        var rank = groups.Gather(attributions).argsort(dim: 1, descending: true).argsort(dim: 1);   // [batch, groups]
        var steps = Math.Min(options.Steps, groups.Count);
        int[] counts = [.. Enumerable.Range(0, steps + 1).Select(step => (int)((long)groups.Count * step / steps))];
        var scores = explained.ScoresOf(counts.Length, (from, to) =>
        {
            var first = tensor(counts[from..to].Select(count => (long)count).ToArray(), device: rank.device).view(-1, 1, 1);
            var touched = rank.unsqueeze(0) < first;   // [steps, batch, groups]
            return groups.ApplyEach(insertion ? touched : touched.logical_not(), input, baseline);
        }).to(float64).cpu();
        var flat = scores.data<double>().ToArray();
        var examples = explained.Examples;
        return new PerturbationCurve(name, [.. counts.Select(count => (double)count / groups.Count)],
            [.. Enumerable.Range(0, counts.Length).Select(at => flat[(at * examples)..((at + 1) * examples)])]);
    }
}

/// <summary>How features are replaced to test attributions.</summary>
public sealed record PerturbationOptions
{
    /// <summary>What replaces the features, as for <see cref="FeatureAblation"/>; null for zeros.</summary>
    public Tensor? Baseline { get; init; }

    /// <summary>
    /// A number for each value of an example; equal numbers are replaced together, and their attributions summed.
    /// </summary>
    public Tensor? Groups { get; init; }

    /// <summary>Steps of a curve.</summary>
    public int Steps { get; init; } = 20;

    /// <summary>Random subsets of the faithfulness correlation.</summary>
    public int Samples { get; init; } = 100;

    /// <summary>Share of the features that a random subset has.</summary>
    public double SubsetShare { get; init; } = 0.2;

    /// <summary>Seed of the subsets.</summary>
    public int Seed { get; init; }

    /// <summary>The most rows that one pass of the model has.</summary>
    public int BatchSize { get; init; } = 64;
}
