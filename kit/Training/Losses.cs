using System.Runtime.InteropServices;
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
    /// <exception cref="ArgumentException">The shapes do not fit, or a target is no class.</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets)
    {
        if (logits.dim() < 2 || !logits.shape.AsSpan(..^1).SequenceEqual(targets.shape))
            throw new ArgumentException($"Got logits {logits.ShapeText()} and targets {targets.ShapeText()}; expected logits of the targets' shape and one axis of classes more.");
        using var scope = NewDisposeScope();
        try
        {
            return functional.cross_entropy(logits.reshape(-1, logits.shape[^1]), targets.reshape(-1), ignore_index: -100).MoveToOuterDisposeScope();
        }
        catch (ExternalException error) when (error.Message.Contains("out of bounds", StringComparison.Ordinal))
        {
            throw new ArgumentException($"The targets go from {targets.min().item<long>()} to {targets.max().item<long>()}; the logits are of {logits.shape[^1]} classes, from 0.", nameof(targets), error);
        }
    }

    /// <summary>Mean of -log p(next token), in nats: what is said at each token is held against the token after it.</summary>
    /// <param name="logits">[batch, time, vocabulary] of a model that reads tokens from left to right.</param>
    /// <param name="tokens">int64 [batch, time], the tokens it read; -100 where the token is not to be learnt.</param>
    /// <returns>One number.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor NextToken(Tensor logits, Tensor tokens)
    {
        var (_, time, _) = logits.Axes3("logits [batch, time, vocabulary]");
        tokens.Axes2("tokens [batch, time]");
        using var scope = NewDisposeScope();
        return CrossEntropy(logits.narrow(1, 0, time - 1), tokens.narrow(1, 1, tokens.shape[1] - 1)).MoveToOuterDisposeScope();
    }

    /// <summary>The loss of a published classifier, by what its labels are.</summary>
    /// <param name="logits">[batch, labels].</param>
    /// <param name="labels">
    /// int64 [batch]: a class each (cross entropy). Numbers [batch] or [batch, 1] where there is one label: a quantity each (mean
    /// squared error). Floating-point [batch, labels] where there are more: which of them are true (binary cross entropy).
    /// </param>
    /// <returns>One number.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Labels(Tensor logits, Tensor labels)
    {
        var (batch, count) = logits.Axes2("logits [batch, labels]");
        if (count > 1 && !labels.is_floating_point()) return CrossEntropy(logits, labels);
        if (labels.numel() != batch * count || labels.shape[0] != batch)
            throw new ArgumentException($"Got logits {logits.ShapeText()} and labels {labels.ShapeText()}; expected as many of both.");
        using var scope = NewDisposeScope();
        var targets = labels.view(batch, count).to(logits.dtype);
        var loss = count == 1 ? functional.mse_loss(logits, targets) : functional.binary_cross_entropy_with_logits(logits, targets);
        return loss.MoveToOuterDisposeScope();
    }
}
