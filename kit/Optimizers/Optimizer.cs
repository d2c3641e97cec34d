using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Base class of optimizers, which update parameters by their gradients.</summary>
/// <remarks>
/// A training loop sets <see cref="LearningRate"/> (a schedule of <see cref="Schedules"/> is a function of the
/// step), calls <see cref="Step"/> after <c>backward</c>, and calls <see cref="ZeroGrad"/> before the next
/// <c>backward</c>. To write an optimizer, derive from <see cref="ForeachOptimizer"/>. To use one of
/// TorchSharp's, wrap it in a <see cref="TorchOptimizer"/>.
/// </remarks>
public abstract class Optimizer : IDisposable
{
    /// <summary>
    /// Learning rate of the next step, which schedules set. The rate of a parameter is this times the factor of its
    /// group.
    /// </summary>
    public abstract double LearningRate { get; set; }

    /// <summary>Name of the method in checkpoints and records: that of its type, such as <c>FusedAdamW</c>.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Updates every parameter that has a gradient.</summary>
    public abstract void Step();

    /// <summary>Clears all gradients.</summary>
    public abstract void ZeroGrad();

    /// <summary>
    /// Returns the state that a bit-exact resume needs, with the names of the reference implementation:
    /// <c>parameter.exp_avg</c>.
    /// </summary>
    /// <returns>The optimizer's own tensors: valid until its next step, and not to be disposed by the
    /// caller.</returns>
    public abstract IReadOnlyDictionary<string, Tensor> State();

    /// <summary>Loads a state that <see cref="State"/> returned; unknown names are ignored.</summary>
    /// <exception cref="InvalidDataException">A name is missing, or a shape or dtype differs; then nothing was
    /// copied.</exception>
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
    /// Called after saved tensors were copied into those of <see cref="State"/>. Override it to update what is kept
    /// elsewhere.
    /// </summary>
    protected internal virtual void Loaded()
    {
    }

    /// <summary>
    /// Puts the training weights into the model. Has an effect only for schedule-free optimizers.
    /// </summary>
    public virtual void Train()
    {
    }

    /// <summary>
    /// Puts the evaluation weights into the model. Has an effect only for schedule-free optimizers.
    /// </summary>
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
