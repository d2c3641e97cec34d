using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>What moves parameters along their gradients, a step at a time.</summary>
/// <remarks>
/// A training loop sets <see cref="LearningRate"/> (a schedule of <see cref="Schedules"/> is a function of the step), calls
/// <see cref="Step"/> after <c>backward</c> and <see cref="ZeroGrad"/> before the next one. To write one of your own, derive from
/// <see cref="ForeachOptimizer"/>; to use one of TorchSharp's, wrap it in a <see cref="TorchOptimizer"/>.
/// </remarks>
public abstract class Optimizer : IDisposable
{
    /// <summary>Base rate of the next step; schedules set it. A parameter's own rate is this times its group's factor.</summary>
    public abstract double LearningRate { get; set; }

    /// <summary>Name of the method in checkpoints and records: that of its type, such as <c>FusedAdamW</c>.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Moves every parameter that has a gradient.</summary>
    public abstract void Step();

    /// <summary>Forgets all gradients.</summary>
    public abstract void ZeroGrad();

    /// <summary>
    /// All that a bit-exact resume needs, named as the reference implementation names it: <c>parameter.exp_avg</c>.
    /// </summary>
    /// <returns>The optimizer's own tensors: valid until its next step, and not to be disposed.</returns>
    public abstract IReadOnlyDictionary<string, Tensor> State();

    /// <summary>Copies what <see cref="State"/> gave in; further names are passed over.</summary>
    /// <exception cref="InvalidDataException">
    /// A name is missing, or a shape or dtype differs; then nothing has been copied.
    /// </exception>
    public virtual void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        using var noGrad = no_grad();
        var own = State();
        foreach (var (name, target) in own)
        {
            if (!state.TryGetValue(name, out var saved))
                throw new InvalidDataException($"The optimizer's state lacks {name}, {Describe(target)}.");
            if (!saved.shape.SequenceEqual(target.shape) || saved.dtype != target.dtype)
                throw new InvalidDataException(
                    $"The optimizer's state has {name}, {Describe(saved)}; it must be {Describe(target)}.");
        }
        foreach (var (name, target) in own) target.copy_(state[name]);
        Loaded();
    }

    /// <summary>
    /// Reads again what it keeps beside the tensors of <see cref="State"/>, into which saved ones have been copied.
    /// </summary>
    protected internal virtual void Loaded()
    {
    }

    /// <summary>Puts the weights that gradients are taken at into the model; of note only for schedule-free optimizers.</summary>
    public virtual void Train()
    {
    }

    /// <summary>Puts the weights that the model is judged by into it; of note only for schedule-free optimizers.</summary>
    public virtual void Evaluate()
    {
    }

    /// <summary>Frees the state.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the state.</summary>
    protected abstract void Dispose(bool disposing);

    private static string Describe(Tensor tensor) => $"{tensor.dtype} of shape [{string.Join(", ", tensor.shape)}]";
}
