using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>
/// A named function of the logits of a model: one number for each example of a batch, with gradient. Sweeps, attributions and
/// circuits explain such a number.
/// </summary>
/// <remarks>
/// Logits are [batch, time, vocabulary], or [batch, classes] without positions. A target that was made for n examples also
/// accepts a batch of a multiple of n, whose row r is example r mod n: sweeps run many variants of the same examples at once.
/// Positions below 0 count from the end; null is the mean over all positions.
/// </remarks>
public sealed class Target
{
    private readonly Func<Tensor, Tensor> compute;

    private Target(string name, string unit, Func<Tensor, Tensor> compute, IReadOnlyList<int>? positions)
    {
        Name = name;
        Unit = unit;
        this.compute = compute;
        ReadsLastOnly = positions is not null && positions.All(position => position == -1);
    }

    /// <summary>Whether the logits of the last position are all that it reads.</summary>
    internal bool ReadsLastOnly { get; }

    /// <summary>What it computes, such as "logit of 5 at the last position".</summary>
    public string Name { get; }

    /// <summary>The unit of its numbers, such as "nats"; empty for none.</summary>
    public string Unit { get; }

    /// <summary>Makes a target of any function.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="unit">Its unit; empty for none.</param>
    /// <param name="compute">
    /// Maps the logits to one number for each example, [batch], with operations that have gradients.
    /// </param>
    public static Target From(string name, string unit, Func<Tensor, Tensor> compute)
    {
        ArgumentNullException.ThrowIfNull(compute);
        return new Target(name, unit, compute, null);
    }

    /// <summary>The logit of a token or class.</summary>
    /// <param name="index">The token or class, from 0.</param>
    /// <param name="position">Its position; -1 is the last, null the mean over all positions.</param>
    public static Target Logit(long index, int? position = -1) => Logit([index], Every(position));

    /// <summary>The logit of a token or class of each example.</summary>
    /// <param name="indexes">The token or class of each example.</param>
    /// <param name="positions">The position of each example, or one for all; null for the mean over all positions.</param>
    public static Target Logit(IReadOnlyList<long> indexes, IReadOnlyList<int>? positions) =>
        new($"logit of {Text(indexes)}{Place(positions)}", "logits",
            logits => Rows.Mean(Rows.Entries(logits, indexes), positions, logits), positions);

    /// <summary>The log-probability of a token or class.</summary>
    /// <inheritdoc cref="Logit(long, int?)"/>
    public static Target LogProbability(long index, int? position = -1) => LogProbability([index], Every(position));

    /// <summary>The log-probability of a token or class of each example.</summary>
    /// <inheritdoc cref="Logit(IReadOnlyList{long}, IReadOnlyList{int})"/>
    public static Target LogProbability(IReadOnlyList<long> indexes, IReadOnlyList<int>? positions) =>
        new($"log-probability of {Text(indexes)}{Place(positions)}", "nats",
            logits => Rows.Mean(Rows.Entries(logits.log_softmax(-1), indexes), positions, logits), positions);

    /// <summary>
    /// The logit of one token less that of another, which is also the difference of their log-probabilities.
    /// </summary>
    /// <param name="index">The token or class whose logit counts.</param>
    /// <param name="other">The token or class whose logit is subtracted.</param>
    /// <param name="position">Their position; -1 is the last, null the mean over all positions.</param>
    public static Target Difference(long index, long other, int? position = -1) => Difference([index], [other], Every(position));

    /// <summary>The logit of one token less that of another, of each example.</summary>
    /// <param name="indexes">The token or class of each example whose logit counts.</param>
    /// <param name="others">The token or class of each example whose logit is subtracted.</param>
    /// <param name="positions">The position of each example, or one for all; null for the mean over all positions.</param>
    public static Target Difference(IReadOnlyList<long> indexes, IReadOnlyList<long> others, IReadOnlyList<int>? positions) =>
        new($"logit of {Text(indexes)} less that of {Text(others)}{Place(positions)}", "logits",
            logits => Rows.Mean(Rows.Entries(logits, indexes) - Rows.Entries(logits, others), positions, logits), positions);

    /// <summary>One target less another, both of the same logits.</summary>
    /// <param name="target">The target that counts.</param>
    /// <param name="other">The target that is subtracted.</param>
    public static Target Contrast(Target target, Target other)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(other);
        return new($"{target.Name}, less {other.Name}", target.Unit, logits => target.Of(logits) - other.Of(logits),
            target.ReadsLastOnly && other.ReadsLastOnly ? [-1] : null);
    }

    /// <summary>A target on this text less the same target on another text, whose logits were computed before.</summary>
    /// <param name="target">The target.</param>
    /// <param name="otherLogits">Logits of the other text; the target keeps a copy without gradient.</param>
    public static Target Contrast(Target target, Tensor otherLogits)
    {
        ArgumentNullException.ThrowIfNull(target);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var values = target.Of(otherLogits.detach()).detach().clone().DetachFromDisposeScope();
        return new($"{target.Name}, less that of the other text", target.Unit,
            logits => target.Of(logits) is var own ? own - Rows.Tile(values, own.shape[0]).to(own) : own,
            target.ReadsLastOnly ? [-1] : null);
    }

    /// <summary>The entropy of the predicted distribution.</summary>
    /// <param name="position">Its position; -1 is the last, null the mean over all positions.</param>
    public static Target Entropy(int? position = -1) => new($"entropy{Place(Every(position))}", "nats", logits =>
    {
        var log = logits.log_softmax(-1);
        return Rows.Mean(-(log.exp() * log).sum(-1), Every(position), logits);
    }, Every(position));

    /// <summary>
    /// The Kullback-Leibler divergence from the distribution of another run to this one's: Σ p log(p / q), where p is the other
    /// run's.
    /// </summary>
    /// <param name="referenceLogits">Logits of the other run; the target keeps a copy without gradient.</param>
    /// <param name="position">The position; -1 is the last, null the mean over all positions.</param>
    public static Target KullbackLeibler(Tensor referenceLogits, int? position = -1)
    {
        using var scope = NewDisposeScope();
        var reference = referenceLogits.detach().log_softmax(-1).DetachFromDisposeScope();
        return new($"KL divergence from the reference run{Place(Every(position))}", "nats", logits =>
        {
            var shape = reference.shape;
            var isLast = position == -1 && logits.dim() == 3 && logits.shape[1] == 1;   // the last position alone
            var p = isLast && shape.Length == 3 ? reference.narrow(1, shape[1] - 1, 1) : reference;
            if (!p.shape.AsSpan(1).SequenceEqual(logits.shape.AsSpan(1)))
                throw new ArgumentException($"Got logits {logits.ShapeText()}; the reference run has {reference.ShapeText()}.");
            p = Rows.Tile(p, logits.shape[0]).to(logits);
            return Rows.Mean((p.exp() * (p - logits.log_softmax(-1))).sum(-1), Every(position), logits);
        }, Every(position));
    }

    /// <summary>Computes the target.</summary>
    /// <param name="logits">[batch, time, vocabulary] or [batch, classes].</param>
    /// <returns>[batch], with gradient where the logits have one.</returns>
    /// <exception cref="ArgumentException">
    /// The logits have another rank, a token or position lies outside them, or the function does not return [batch].
    /// </exception>
    public Tensor Of(Tensor logits)
    {
        if (logits.dim() is not (2 or 3))
            throw new ArgumentException(
                $"Got logits {logits.ShapeText()}; expected [batch, time, vocabulary] or [batch, classes].", nameof(logits));
        using var scope = NewDisposeScope();
        var values = compute(logits);
        if (!values.shape.SequenceEqual([logits.shape[0]]))
            throw new ArgumentException($"The target '{Name}' returns {values.ShapeText()}; expected one number for each of "
                + $"{logits.shape[0]} examples.");
        return values.MoveToOuterDisposeScope();
    }

    /// <summary>Computes the target as plain numbers.</summary>
    /// <param name="logits">[batch, time, vocabulary] or [batch, classes].</param>
    /// <returns>One number for each example.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Of"/>, or a value is not finite.</exception>
    public double[] Values(Tensor logits)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var values = Of(logits.detach()).to(float64).cpu().data<double>().ToArray();
        var bad = Array.FindIndex(values, value => !double.IsFinite(value));
        return bad < 0 ? values
            : throw new ArgumentException($"The target '{Name}' is {values[bad]} for example {bad}; expected a finite number.");
    }

    /// <inheritdoc/>
    public override string ToString() => Unit.Length > 0 ? $"{Name}, {Unit}" : Name;

    private static int[]? Every(int? position) => position is { } at ? [at] : null;

    private static string Text(IReadOnlyList<long> indexes) =>
        indexes.Distinct().Count() == 1 ? $"{indexes[0]}" : "the chosen tokens";

    private static string Place(IReadOnlyList<int>? positions) => positions switch
    {
        null => ", mean over positions",
        { } all when all.All(position => position == -1) => " at the last position",
        { } all when all.Distinct().Count() == 1 => $" at position {all[0]}",
        _ => " at the chosen positions",
    };
}
