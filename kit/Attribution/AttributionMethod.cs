using System.Diagnostics;
using ResearchKit.Interpretability;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>A way to explain a target of a model by the parts of its input.</summary>
/// <remarks>
/// The model runs in evaluation mode and is left as it was. Options are set by <c>with</c>; one object can explain many inputs.
/// </remarks>
public abstract record AttributionMethod
{
    /// <summary>The most rows that one pass of the model has; the examples of a batch always stay together.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The method's name, as results show it.</summary>
    public abstract string Name { get; }

    /// <summary>Explains a target.</summary>
    /// <param name="model">Any model with one input and one output, the logits [batch, classes] or [batch, time,
    /// vocabulary].</param>
    /// <param name="input">[batch, ...], such as images [batch, channels, height, width], a table [batch, features], or
    /// tokens.</param>
    /// <param name="target">The number to explain. A target of classes has one class for all examples or one for each.</param>
    /// <param name="progress">Reports the share that is done, from 0 to 1.</param>
    /// <param name="cancellation">Stops the work between two passes.</param>
    /// <returns>The attributions, which belong to the caller.</returns>
    /// <exception cref="ArgumentException">
    /// The input is not finite, the target or an option does not fit the model, or the model mixes the examples of a batch.
    /// </exception>
    public AttributionMap Attribute(Module<Tensor, Tensor> model, Tensor input, Target target,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(target);
        Require.AtLeast(1, BatchSize);
        Check();
        var clock = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var explained = new Explained(model, target, input, BatchSize, progress, cancellation);
        var found = Explain(explained, explained.Input);
        return new AttributionMap(Name, target.Name, target.Unit, found.Values.detach().MoveToOuterDisposeScope(),
            explained.Numbers(), Evidence(explained, found) with { Seconds = clock.Elapsed.TotalSeconds })
        {
            Gaps = found.Gaps,
        };
    }

    /// <inheritdoc cref="Attribute(Module{Tensor, Tensor}, Tensor, Target, IProgress{double}, CancellationToken)"/>
    /// <param name="model">Any function from the input to the logits.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number to explain.</param>
    /// <param name="progress">Reports the share that is done, from 0 to 1.</param>
    /// <param name="cancellation">Stops the work between two passes.</param>
    public AttributionMap Attribute(Func<Tensor, Tensor> model, Tensor input, Target target,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var module = new FunctionModel(model);
        return Attribute(module, input, target, progress, cancellation);
    }

    /// <summary>Checks the options, before any pass of the model.</summary>
    internal virtual void Check()
    {
    }

    /// <summary>Computes the attributions.</summary>
    internal abstract Found Explain(Explained explained, Tensor input);

    private static Evidence Evidence(Explained explained, Found found)
    {
        var known = new Evidence
        {
            ForwardPasses = explained.ForwardPasses,
            BackwardPasses = explained.BackwardPasses,
            Notes = found.Notes,
        };
        return found.Gaps.Count == 0 ? known : known with
        {
            Law = "the attributions sum to the score less that of the baseline",
            Error = found.Gaps.Zip(found.Changes, (gap, change) => Math.Abs(gap) / Math.Max(Math.Abs(change), found.Least)).Max(),
            Tolerance = found.Tolerance,
        };
    }
}

/// <summary>What a method found.</summary>
/// <param name="Values">The attributions.</param>
internal sealed record Found(Tensor Values)
{
    /// <summary>Below this a change of the score counts as none, so that the relative gap stays finite.</summary>
    public const double Smallest = 1e-3;

    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Sum of the attributions less the change of the score; empty for a method without completeness.</summary>
    public IReadOnlyList<double> Gaps { get; private init; } = [];

    /// <summary>The score less that of the baseline, of each gap.</summary>
    public IReadOnlyList<double> Changes { get; private init; } = [];

    public double Tolerance { get; private init; }

    public double Least { get; private init; } = Smallest;

    /// <summary>Adds the completeness gaps.</summary>
    /// <param name="sums">[n], the sums of the attributions.</param>
    /// <param name="changes">[n], the scores less those of the baselines.</param>
    /// <param name="tolerance">The largest gap that counts as none, relative to the change.</param>
    public Found Complete(Tensor sums, Tensor changes, double tolerance)
    {
        var (all, expected) = (Plain(sums), Plain(changes));
        return this with
        {
            Gaps = [.. all.Zip(expected, (sum, change) => sum - change)],
            Changes = expected,
            Tolerance = tolerance,
            Least = Math.Max(Smallest, 1e-2 * expected.Select(Math.Abs).DefaultIfEmpty().Max()),
        };
    }

    private static double[] Plain(Tensor values)
    {
        using var scope = NewDisposeScope();
        return values.detach().to(float64).cpu().data<double>().ToArray();
    }
}

/// <summary>Presents a function as a model.</summary>
internal sealed class FunctionModel(Func<Tensor, Tensor> function) : Module<Tensor, Tensor>(nameof(FunctionModel))
{
    public override Tensor forward(Tensor input) => function(input);
}
