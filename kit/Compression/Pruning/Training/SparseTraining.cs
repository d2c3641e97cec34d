using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Keeps pruned weights at zero while a model is trained: an entry of <see cref="TrainerOptions.Callbacks"/>.</summary>
/// <remarks>
/// Gradients of pruned weights are set to zero before they are clipped, and the weights after each update, so that the
/// optimizer's momentum and weight decay cannot bring them back. Averaged weights (EMA) have the same zeros. A resumed run needs
/// the same masks again (<see cref="ModelMasks.Save"/> or <see cref="ModelMasks.OfZeros"/>).
/// </remarks>
/// <param name="masks">Masks of the model; the caller keeps ownership.</param>
public sealed class SparseTraining(ModelMasks masks) : TrainingCallback
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The masks are of another model.</exception>
    public override void StepBegins(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        masks.Apply(trainer.Model);
    }

    /// <inheritdoc/>
    public override void GradientsReady(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        using var noGrad = no_grad();
        foreach (var (parameter, mask) in masks.On(trainer.Model)) parameter.grad?.masked_fill_(mask, 0);
    }

    /// <inheritdoc/>
    public override void WeightsUpdated(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        masks.Apply(trainer.Model);
        if (trainer.Average is not { } average) return;
        using var noGrad = no_grad();
        var averages = average.State();
        foreach (var (name, mask) in masks.Masks) averages[name].masked_fill_(mask, 0);
    }
}
