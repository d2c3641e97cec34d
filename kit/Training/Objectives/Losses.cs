using System.Runtime.InteropServices;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Training;

/// <summary>Loss functions: from outputs and targets to a mean and its count.</summary>
public static class Losses
{
    /// <summary>Target value that losses ignore (ignore_index), as in PyTorch.</summary>
    public const long Ignored = NoTarget.Value;

    /// <summary>Mean of −log p(target), in nats.</summary>
    /// <param name="logits">[..., classes], such as [batch, time, vocabulary].</param>
    /// <param name="targets">
    /// int64, the shape of the logits without the last axis; -100 for positions without a target. Or shares of all classes,
    /// floating-point, the shape of the logits (<see cref="SoftCrossEntropy"/>).
    /// </param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a target is not a class.</exception>
    public static Loss CrossEntropy(Tensor logits, Tensor targets) => IsShares(logits, targets)
        ? SoftCrossEntropy(logits, targets) : CrossEntropy(logits, targets, null, 0);

    /// <summary>Mean of −Σ q log p over examples, in nats, for targets that are shares of several classes.</summary>
    /// <param name="logits">[..., classes].</param>
    /// <param name="targets">Shares q, floating-point, the shape of the logits; each row sums to 1.</param>
    /// <remarks>What <see cref="Mixing"/> makes of a batch. A row of zeros counts as an example without a loss.</remarks>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Loss SoftCrossEntropy(Tensor logits, Tensor targets)
    {
        if (!logits.shape.SequenceEqual(targets.shape) || !targets.is_floating_point())
            throw new ArgumentException($"Got logits {logits.ShapeText()} and targets {targets.ShapeText()} of {targets.dtype}; "
                + "expected a share of each class, of the logits' shape.");
        using var scope = NewDisposeScope();
        return Loss.Of(-(logits.log_softmax(-1) * targets.to(logits.dtype)).sum(dim: -1)).MoveToOuterDisposeScope();
    }

    /// <summary>Cross entropy with a weight for each class, and label smoothing.</summary>
    /// <param name="classWeights">
    /// Weight of each class, float32 [classes]; null for 1. The mean is divided by the sum of the targets' weights.
    /// </param>
    /// <param name="labelSmoothing">
    /// Share of each target that is spread evenly over all classes, from 0 to 1 (Szegedy et al., 2015,
    /// https://arxiv.org/abs/1512.00567).
    /// </param>
    /// <returns>A loss function for the trainer; the caller keeps ownership of the weights.</returns>
    /// <remarks>The numbers are those of <c>torch.nn.functional.cross_entropy</c>.</remarks>
    /// <exception cref="ArgumentException"><paramref name="labelSmoothing"/> is out of range.</exception>
    public static Func<Tensor, Tensor, Loss> WeightedCrossEntropy(Tensor? classWeights = null, double labelSmoothing = 0)
    {
        Require.That(labelSmoothing is >= 0 and <= 1, labelSmoothing, nameof(labelSmoothing), "from 0 to 1");
        return (logits, targets) => CrossEntropy(logits, targets, classWeights, labelSmoothing);
    }

    /// <summary>
    /// Focal loss: −(1 − p)^γ log p of the target, which gives less weight to examples that are already classified
    /// well.
    /// </summary>
    /// <param name="gamma">γ; 0 gives the cross entropy.</param>
    /// <param name="classWeights">float32 [classes]: α of each class; null for 1. It does not change the count.</param>
    /// <returns>A loss function for the trainer; takes logits [..., classes] and targets int64 [...].</returns>
    /// <remarks>Lin et al., 2017, https://arxiv.org/abs/1708.02002.</remarks>
    /// <exception cref="ArgumentException"><paramref name="gamma"/> is negative.</exception>
    public static Func<Tensor, Tensor, Loss> Focal(double gamma = 2, Tensor? classWeights = null)
    {
        Require.NotNegative(gamma);
        return (logits, targets) =>
        {
            using var scope = NewDisposeScope();
            var (rows, flat) = Rows(logits, targets);
            var has = flat.ne(Ignored);
            var own = flat.masked_fill(~has, 0);
            var log = rows.log_softmax(1).gather(1, own.unsqueeze(1)).squeeze(1);
            var values = -(1 - log.exp()).pow(gamma) * log;
            if (classWeights is not null) values *= classWeights.to(values.dtype, values.device).index_select(0, own);
            return Loss.Of(values, has).MoveToOuterDisposeScope();
        };
    }

    /// <summary>Mean of −log p(next token), in nats: the logits of each position are compared with the token after it.</summary>
    /// <param name="logits">[batch, time, vocabulary] of a causal language model.</param>
    /// <param name="tokens">
    /// The model's input, int64 [batch, time]; -100 for tokens that are not to be learned.
    /// </param>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Loss NextToken(Tensor logits, Tensor tokens)
    {
        var (_, time, _) = logits.Axes3("logits [batch, time, vocabulary]");
        tokens.Axes2("tokens [batch, time]");
        using var scope = NewDisposeScope();
        return CrossEntropy(logits.narrow(1, 0, time - 1), tokens.narrow(1, 1, tokens.shape[1] - 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of (output − target)².</summary>
    /// <param name="outputs">Any shape.</param>
    /// <param name="targets">Numbers, as many as outputs; a missing last axis of size 1 is added.</param>
    /// <exception cref="ArgumentException">There are not as many outputs as targets.</exception>
    public static Loss SquaredError(Tensor outputs, Tensor targets)
    {
        if (outputs.numel() != targets.numel())
            throw new ArgumentException($"Got outputs {outputs.ShapeText()} and targets {targets.ShapeText()}; expected as "
                + "many of both.");
        using var scope = NewDisposeScope();
        return Loss.Of((outputs - targets.view(outputs.shape).to(outputs.dtype)).square()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Loss of a classifier, which depends on the dtype and shape of the labels, as in transformers.
    /// </summary>
    /// <param name="logits">[batch, labels].</param>
    /// <param name="labels">
    /// int64 [batch]: one class each (cross entropy). Floating-point [batch] or [batch, 1], for a single label:
    /// regression targets (mean squared error). Floating-point [batch, labels], for several labels: which of them
    /// are true (binary cross entropy).
    /// </param>
    /// <exception cref="ArgumentException">The shapes do not match.</exception>
    public static Loss Labels(Tensor logits, Tensor labels)
    {
        var (batch, count) = logits.Axes2("logits [batch, labels]");
        if (count > 1 && !labels.is_floating_point()) return CrossEntropy(logits, labels);
        if (labels.numel() != batch * count || labels.shape[0] != batch)
            throw new ArgumentException($"Got logits {logits.ShapeText()} and labels {labels.ShapeText()}; expected as many "
                + "of both.");
        using var scope = NewDisposeScope();
        var targets = labels.view(batch, count).to(logits.dtype);
        var mean = count == 1
            ? functional.mse_loss(logits, targets) : functional.binary_cross_entropy_with_logits(logits, targets);
        return new Loss(mean, tensor(labels.numel(), device: logits.device)).MoveToOuterDisposeScope();
    }

    private static Loss CrossEntropy(Tensor logits, Tensor targets, Tensor? classWeights, double labelSmoothing)
    {
        using var scope = NewDisposeScope();
        var (rows, flat) = Rows(logits, targets);
        try
        {
            var weights = classWeights?.to(rows.dtype, rows.device);
            var mean = functional.cross_entropy(rows, flat, weights, ignore_index: Ignored, label_smoothing: labelSmoothing);
            var has = flat.ne(Ignored);
            var count = weights is null ? has.sum() : (weights.index_select(0, flat.clamp_min(0)) * has).sum();
            return new Loss(mean, count).MoveToOuterDisposeScope();
        }
        catch (ExternalException error) when (error.Message.Contains("out of bounds", StringComparison.Ordinal))
        {
            throw new ArgumentException($"The targets go from {targets.min().item<long>()} to {targets.max().item<long>()}; "
                + $"the logits are of {logits.shape[^1]} classes, from 0.", nameof(targets), error);
        }
    }

    private static bool IsShares(Tensor logits, Tensor targets) =>
        targets.is_floating_point() && targets.shape.SequenceEqual(logits.shape);

    /// <summary>Returns logits as [n, classes] and targets as int64 [n].</summary>
    private static (Tensor Logits, Tensor Targets) Rows(Tensor logits, Tensor targets)
    {
        if (logits.dim() < 2 || !logits.shape.AsSpan(..^1).SequenceEqual(targets.shape))
            throw new ArgumentException($"Got logits {logits.ShapeText()} and targets {targets.ShapeText()}; "
                + "expected logits with the targets' shape and an additional last axis of classes.");
        if (targets.is_floating_point())
            throw new ArgumentException($"The targets are {targets.dtype}; expected whole numbers, the classes.",
                nameof(targets));
        return (logits.reshape(-1, logits.shape[^1]), targets.reshape(-1).to(int64));
    }
}
