using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Losses that compare a student with its teacher. Each returns a scalar; the caller disposes it.</summary>
/// <remarks>Gradients flow to the student alone: the teacher's tensors are detached.</remarks>
public static class DistillationLosses
{
    /// <summary>
    /// Kullback-Leibler divergence from the student's to the teacher's softened predictions, times the square of the
    /// temperature, in nats per row.
    /// </summary>
    /// <remarks>Hinton et al., 2015, https://arxiv.org/abs/1503.02531.</remarks>
    /// <param name="student">Logits [..., classes].</param>
    /// <param name="teacher">Logits of the same shape.</param>
    /// <param name="temperature">Divides the logits; above 0.</param>
    /// <exception cref="ArgumentException">The shapes differ, or the temperature is not above 0.</exception>
    public static Tensor SoftTargets(Tensor student, Tensor teacher, double temperature = 1)
    {
        Check(student, teacher, temperature);
        using var scope = NewDisposeScope();
        var (own, target) = (LogProbabilities(student, temperature), LogProbabilities(teacher.detach(), temperature));
        return Divergence(target, own).mul(temperature * temperature).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// <see cref="SoftTargets"/> of a teacher of whom only the largest logits are known: all other classes count as one.
    /// </summary>
    /// <remarks>
    /// At most <see cref="SoftTargets"/>, and equal to it if all classes are given. <see cref="TeacherCache"/> makes the tensors.
    /// </remarks>
    /// <param name="student">Logits [..., classes].</param>
    /// <param name="classes">Classes of the teacher's largest logits, int64 [..., top].</param>
    /// <param name="logits">These logits, [..., top].</param>
    /// <param name="total">Logarithm of Σ exp(logit / temperature) over all classes of the teacher, [...].</param>
    /// <param name="temperature">Divides the logits; above 0.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or the temperature is not above 0.</exception>
    public static Tensor TopTargets(Tensor student, Tensor classes, Tensor logits, Tensor total, double temperature = 1)
    {
        Require.Positive(temperature);
        if (!student.shape.AsSpan(..^1).SequenceEqual(classes.shape.AsSpan(..^1)) || !classes.shape.SequenceEqual(logits.shape)
            || !total.shape.AsSpan().SequenceEqual(student.shape.AsSpan(..^1)))
            throw new ArgumentException($"The student's logits are {student.ShapeText()}, the teacher's largest "
                + $"{logits.ShapeText()} of "
                + $"classes {classes.ShapeText()} with totals {total.ShapeText()}; expected the same axes but for the last.");
        using var scope = NewDisposeScope();
        const double Least = 1e-12;
        var own = LogProbabilities(student, temperature).gather(-1, classes);
        var target = (logits.detach().to(ScalarType.Float32) / temperature) - total.detach().to(ScalarType.Float32).unsqueeze(-1);
        var probabilities = target.exp();
        var rest = (1 - probabilities.sum(dim: -1)).clamp(min: 0);
        var ownRest = (1 - own.exp().sum(dim: -1)).clamp(min: Least);
        var other = rest * (rest.clamp(min: Least).log() - ownRest.log());
        return ((probabilities * (target - own)).sum(dim: -1) + other).mean().mul(temperature * temperature)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Kullback-Leibler divergence in the other direction, from the teacher's to the student's predictions, times the square of
    /// the temperature: the student prefers few of the teacher's modes.
    /// </summary>
    /// <remarks>Gu et al., MiniLLM, 2023, https://arxiv.org/abs/2306.08543.</remarks>
    /// <inheritdoc cref="SoftTargets"/>
    public static Tensor ReverseSoftTargets(Tensor student, Tensor teacher, double temperature = 1)
    {
        Check(student, teacher, temperature);
        using var scope = NewDisposeScope();
        var (own, target) = (LogProbabilities(student, temperature), LogProbabilities(teacher.detach(), temperature));
        return Divergence(own, target).mul(temperature * temperature).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// share × <see cref="SoftTargets"/> + (1 − share) × cross-entropy of the student with the labels, at temperature 1.
    /// </summary>
    /// <param name="student">Logits [rows, classes].</param>
    /// <param name="teacher">Logits of the same shape.</param>
    /// <param name="labels">int64 [rows].</param>
    /// <param name="temperature">Divides the logits of the first part; above 0.</param>
    /// <param name="share">Weight of the first part, 0 to 1.</param>
    /// <exception cref="ArgumentException">The shapes differ, or a setting is out of range.</exception>
    public static Tensor WithLabels(Tensor student, Tensor teacher, Tensor labels, double temperature = 2, double share = 0.5)
    {
        Require.That(share is >= 0 and <= 1, share, nameof(share), "0 to 1");
        using var scope = NewDisposeScope();
        var hard = nn.functional.cross_entropy(student, labels).mul(1 - share);
        return SoftTargets(student, teacher, temperature).mul(share).add(hard).MoveToOuterDisposeScope();
    }

    /// <summary>Mean of 1 − cosine between hidden states of student and teacher, over the tokens of the mask.</summary>
    /// <remarks>Sanh et al., DistilBERT, 2019, https://arxiv.org/abs/1910.01108.</remarks>
    /// <param name="student">[batch, time, channels].</param>
    /// <param name="teacher">Of the same shape.</param>
    /// <param name="mask">bool [batch, time], true for tokens that count; null for all.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Cosine(Tensor student, Tensor teacher, Tensor? mask = null)
    {
        SameShape(student, teacher);
        using var scope = NewDisposeScope();
        var (own, target) = (Tokens(student, mask), Tokens(teacher.detach(), mask));
        return (1 - nn.functional.cosine_similarity(own, target, dim: -1)).mean().MoveToOuterDisposeScope();
    }

    /// <summary>Mean squared difference of hidden states, logits or attention maps.</summary>
    /// <param name="student">Of any shape; for a mask [batch, time, channels].</param>
    /// <param name="teacher">Of the same shape. Where the widths differ, project the student's first.</param>
    /// <param name="mask">bool [batch, time], true for tokens that count; null for all.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor MeanSquares(Tensor student, Tensor teacher, Tensor? mask = null)
    {
        SameShape(student, teacher);
        using var scope = NewDisposeScope();
        return nn.functional.mse_loss(Tokens(student, mask), Tokens(teacher.detach(), mask)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Attention transfer: where the hidden states are large, compared as a direction. Widths of student and teacher may differ.
    /// </summary>
    /// <remarks>Zagoruyko and Komodakis, 2017, https://arxiv.org/abs/1612.03928.</remarks>
    /// <param name="student">[batch, time, channels].</param>
    /// <param name="teacher">[batch, time, channels of the teacher].</param>
    /// <exception cref="ArgumentException">Batch or time differ.</exception>
    public static Tensor AttentionTransfer(Tensor student, Tensor teacher)
    {
        if (student.dim() != 3 || teacher.dim() != 3 || !student.shape.AsSpan(0, 2).SequenceEqual(teacher.shape.AsSpan(0, 2)))
            throw new ArgumentException($"Got {student.ShapeText()} of the student and {teacher.ShapeText()} of the teacher; "
                + "expected [batch, time, channels] with the same batch and time.");
        using var scope = NewDisposeScope();
        return (Places(student) - Places(teacher.detach())).pow(2).mean().MoveToOuterDisposeScope();
        static Tensor Places(Tensor hidden) => nn.functional.normalize(hidden.pow(2).mean([-1L]), dim: 1);
    }

    /// <summary>Mean over all rows of the divergence from the student's to the teacher's attention.</summary>
    /// <param name="student">Attention weights [..., keys]; each row sums to 1.</param>
    /// <param name="teacher">Of the same shape.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor AttentionDivergence(Tensor student, Tensor teacher)
    {
        SameShape(student, teacher);
        using var scope = NewDisposeScope();
        return Divergence(teacher.detach().clamp(min: 1e-20).log(), student.clamp(min: 1e-20).log()).MoveToOuterDisposeScope();
    }

    private static Tensor LogProbabilities(Tensor logits, double temperature) =>
        nn.functional.log_softmax(logits.to(ScalarType.Float32) / temperature, dim: -1);

    /// <summary>Mean over rows of Σ p (log p − log q).</summary>
    private static Tensor Divergence(Tensor logP, Tensor logQ) => (logP.exp() * (logP - logQ)).sum(dim: -1).mean();

    private static Tensor Tokens(Tensor hidden, Tensor? mask) => mask is null ? hidden : hidden[mask];

    private static void Check(Tensor student, Tensor teacher, double temperature)
    {
        Require.Positive(temperature);
        SameShape(student, teacher);
    }

    private static void SameShape(Tensor student, Tensor teacher)
    {
        if (!student.shape.SequenceEqual(teacher.shape))
            throw new ArgumentException(
                $"The student's tensor is {student.ShapeText()} and the teacher's {teacher.ShapeText()}; expected the same shape.");
    }
}
