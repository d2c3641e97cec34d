using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Training;

/// <summary>From what a model says and what it should say to one number.</summary>
public static class Losses
{
    /// <summary>Mean of -log p(target), in nats.</summary>
    /// <param name="logits">[..., classes], such as [batch, time, vocabulary].</param>
    /// <param name="targets">int64, the shape of the logits without the last axis; -100 where there is none.</param>
    /// <returns>One number.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets)
    {
        if (logits.dim() < 2 || !logits.shape.AsSpan(..^1).SequenceEqual(targets.shape))
            throw new ArgumentException($"Got logits {logits.ShapeText()} and targets {targets.ShapeText()}; expected logits of the targets' shape and one axis of classes more.");
        using var scope = NewDisposeScope();
        return functional.cross_entropy(logits.view(-1, logits.shape[^1]), targets.view(-1), ignore_index: -100).MoveToOuterDisposeScope();
    }
}
