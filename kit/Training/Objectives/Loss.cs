using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>A mean loss and the number of targets over which it is the mean.</summary>
/// <remarks>
/// The trainer weights each part of a step, each rank, and each batch of an evaluation by its count, so that the mean over all
/// targets does not depend on how they were divided into batches. It converts to the tensor <see cref="Mean"/>; sums and
/// multiples of a loss keep its count.
/// </remarks>
/// <param name="Mean">The mean, a scalar with gradient; NaN if <paramref name="Count"/> is 0.</param>
/// <param name="Count">The number of targets, or the sum of their weights; a scalar.</param>
public sealed record Loss(Tensor Mean, Tensor Count)
{
    /// <summary>Makes a loss from the losses of the individual targets.</summary>
    /// <param name="values">The loss of each target; any shape.</param>
    public static Loss Of(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return new(values.mean(), tensor(values.numel(), device: values.device));
    }

    /// <summary>Makes a loss as a weighted mean: Σ wᵢ lᵢ / Σ wᵢ.</summary>
    /// <param name="values">The loss of each target; any shape.</param>
    /// <param name="weights">Weight of each, such as 1 for a target and 0 for padding; the shape of the values.</param>
    public static Loss Of(Tensor values, Tensor weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var scope = NewDisposeScope();
        var factors = weights.to(values.dtype);
        var count = factors.sum();
        return new Loss((values * factors).sum() / count, count).MoveToOuterDisposeScope();
    }

    /// <summary>A mean whose count is that of the targets that are not -100.</summary>
    internal static Loss OverTargets(Tensor mean, Tensor targets) => new(mean,
        targets.is_floating_point() ? tensor(targets.numel(), device: targets.device) : targets.ne(Losses.Ignored).sum());

    /// <summary>The mean as a number.</summary>
    /// <inheritdoc cref="Tensor.item{T}"/>
    public T item<T>() where T : unmanaged => Mean.item<T>();

    /// <summary>Adds the gradients of the mean to those of the parameters.</summary>
    public void backward() => Mean.backward();

    /// <summary>The mean.</summary>
    public static implicit operator Tensor(Loss loss) => loss?.Mean!;

    /// <summary>Adds a penalty or another loss to the mean; the count stays.</summary>
    public static Loss operator +(Loss loss, Tensor more) => loss with { Mean = loss.Mean + more };

    /// <inheritdoc cref="op_Addition(Loss, Tensor)"/>
    public static Loss operator +(Tensor more, Loss loss) => loss + more;

    /// <inheritdoc cref="op_Addition(Loss, Tensor)"/>
    public static Loss operator +(Loss loss, Loss more) => loss + more.Mean;

    /// <summary>Multiplies the mean; the count stays.</summary>
    public static Loss operator *(Loss loss, double factor) => loss with { Mean = loss.Mean * factor };

    /// <inheritdoc cref="op_Multiply(Loss, double)"/>
    public static Loss operator *(double factor, Loss loss) => loss * factor;

    /// <summary>Divides the mean; the count stays.</summary>
    public static Loss operator /(Loss loss, double divisor) => loss with { Mean = loss.Mean / divisor };

    /// <summary>Keeps both tensors when the current dispose scope ends.</summary>
    public Loss MoveToOuterDisposeScope()
    {
        Mean.MoveToOuterDisposeScope();
        Count.MoveToOuterDisposeScope();
        return this;
    }
}
