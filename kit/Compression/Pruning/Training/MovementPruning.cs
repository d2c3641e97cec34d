using ResearchKit.Tensors;
using ResearchKit.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Movement pruning: prunes weights that move toward zero while a model is tuned, more and more of them by a cubic schedule. An
/// entry of <see cref="TrainerOptions.Callbacks"/>.
/// </summary>
/// <remarks>
/// Sanh et al., 2020, https://arxiv.org/abs/2005.07683, with the straight-through gradient: scores follow −∂L/∂w · w of all
/// weights, and a pruned weight comes back with its last value when its score does. The schedule is that of Zhu and Gupta, 2017,
/// https://arxiv.org/abs/1710.01878. Averaged weights (EMA) have the zeros of the last step; a weight that comes back is averaged
/// from zero on. Scores are not in the trainer's checkpoints: a resumed run starts them anew.
/// </remarks>
public sealed class MovementPruning : TrainingCallback, IDisposable
{
    private sealed record Pruned(Parameter Parameter, Tensor Dense, Tensor Scores)
    {
        public Tensor Mask { get; set; } = null!;   // bool, true where it is pruned
    }

    private readonly Dictionary<string, Pruned> parts = [];

    /// <summary>Share of each layer's weights that is pruned at the end, 0 to 1.</summary>
    public required double Share { get; init; }

    /// <summary>Step at which pruning starts, from 1.</summary>
    public int Start { get; init; } = 1;

    /// <summary>Step from which the masks stay as they are.</summary>
    public required int End { get; init; }

    /// <summary>Learning rate of the scores.</summary>
    public double ScoreRate { get; init; } = 1;

    /// <summary>Chooses parameters by name; null for the weights of linear layers and convolutions, without heads.</summary>
    public Func<string, bool>? Filter { get; init; }

    /// <summary>Share that is pruned at a step: Share · (1 − (1 − progress)³).</summary>
    /// <param name="step">Number of the step, from 1.</param>
    public double ShareAt(int step)
    {
        var rest = 1 - Math.Clamp((step - Start) / (double)(End - Start), 0, 1);
        return Share * (1 - (rest * rest * rest));
    }

    /// <summary>The masks of the last step, which the caller disposes.</summary>
    /// <exception cref="InvalidOperationException">No step was taken yet.</exception>
    public ModelMasks Masks()
    {
        if (parts.Count == 0) throw new InvalidOperationException("Movement pruning has no masks before the first step.");
        return new(parts.ToDictionary(pair => pair.Key, pair => pair.Value.Mask.clone()));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A setting is out of range, or the filter chooses no parameter.</exception>
    public override void StepBegins(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var isFirst = parts.Count == 0;
        if (isFirst) Begin(trainer.Model);
        foreach (var part in parts.Values)
        {
            if (isFirst || step <= End)
            {
                part.Mask?.Dispose();
                part.Mask = PruningMask.Share(part.Scores, ShareAt(step)).DetachFromDisposeScope();
            }
            part.Parameter.copy_(part.Dense.masked_fill(part.Mask!, 0));
        }
    }

    /// <inheritdoc/>
    public override void GradientsReady(Trainer trainer, int step)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var part in parts.Values)
        {
            if (part.Parameter.grad is not { } gradient) continue;
            part.Scores.add_(PruningScores.Movement(part.Dense, gradient), ScoreRate);
            gradient.masked_fill_(part.Mask, 0);
        }
    }

    /// <inheritdoc/>
    public override void WeightsUpdated(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var averages = trainer.Average?.State();
        foreach (var (name, part) in parts)
        {
            part.Dense.copy_(where(part.Mask, part.Dense, part.Parameter));
            part.Parameter.masked_fill_(part.Mask, 0);
            averages?[name].masked_fill_(part.Mask, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in parts.Values)
        {
            part.Dense.Dispose();
            part.Scores.Dispose();
            part.Mask?.Dispose();
        }
        parts.Clear();
    }

    private void Begin(nn.Module model)
    {
        Require.That(Share is >= 0 and <= 1, Share, nameof(Share), "0 to 1");
        Require.That(End > Start, End, nameof(End), $"more than Start, {Start}");
        Require.Positive(ScoreRate);
        foreach (var (name, weight) in ModelMasks.Chosen(model, Filter))
            parts[name] = new Pruned((Parameter)weight, weight.detach().clone().DetachFromDisposeScope(),
                zeros_like(weight).detach().DetachFromDisposeScope());
    }
}
