using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

public sealed partial class Trainer
{
    /// <summary>Trains a model from one tensor to one tensor.</summary>
    /// <param name="model">The model, on any device; stays the caller's.</param>
    /// <param name="loss">Loss function of (output, targets), such as <see cref="Losses.CrossEntropy(Tensor, Tensor)"/>;
    /// computes in float32.</param>
    /// <param name="loader">Training batches; each rank of several has its share.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="heldOut">Held-out examples; null for no evaluation.</param>
    /// <inheritdoc cref="Trainer(nn.Module, Objective, BatchLoader, TrainerOptions, IExamples?)" path="/exception"/>
    public Trainer(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Loss> loss, BatchLoader loader, TrainerOptions options,
        IExamples? heldOut = null)
        : this(model, Objective.Of(loss), loader, options, heldOut)
    {
    }

    /// <inheritdoc
    /// cref="Trainer(nn.Module{Tensor, Tensor}, Func{Tensor, Tensor, Loss}, BatchLoader, TrainerOptions, IExamples?)"/>
    /// <remarks>
    /// The function returns only the mean, whose count is then the number of targets that are not -100. Return a
    /// <see cref="Loss"/> if another count is right.
    /// </remarks>
    public Trainer(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Tensor> loss, BatchLoader loader, TrainerOptions options,
        IExamples? heldOut = null)
        : this(model, Objective.Of(loss), loader, options, heldOut)
    {
    }

    /// <summary>Trains a model with any inputs and outputs.</summary>
    /// <param name="model">The model, on any device; stays the caller's.</param>
    /// <param name="objective">Computes the loss of a batch.</param>
    /// <param name="loader">Training batches; each rank of several has its share.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="heldOut">Held-out examples; null for no evaluation.</param>
    /// <inheritdoc cref="Trainer(nn.Module, Objective, BatchLoader, TrainerOptions, IExamples?)" path="/exception"/>
    public Trainer(nn.Module model, Func<Batch, Loss> objective, BatchLoader loader, TrainerOptions options,
        IExamples? heldOut = null)
        : this(model, new Objective(objective), loader, options, heldOut)
    {
    }

    /// <inheritdoc cref="Trainer(nn.Module, Func{Batch, Loss}, BatchLoader, TrainerOptions, IExamples?)"/>
    /// <remarks>
    /// The objective returns only the mean, whose count is then the number of targets that are not -100. Return a
    /// <see cref="Loss"/> if another count is right.
    /// </remarks>
    public Trainer(nn.Module model, Func<Batch, Tensor> objective, BatchLoader loader, TrainerOptions options,
        IExamples? heldOut = null)
        : this(model, new Objective((Batch batch) => Loss.OverTargets(objective(batch), batch.Targets)), loader, options, heldOut)
    {
    }
}
