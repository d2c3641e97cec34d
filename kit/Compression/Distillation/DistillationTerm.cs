using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>A term of the objective of a <see cref="Distillation"/>.</summary>
public abstract record DistillationTerm
{
    private protected DistillationTerm()
    {
    }

    /// <summary>Factor of the term.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>End of the names of the hook points whose activations the term compares; null for none.</summary>
    internal virtual string? Hook => null;

    /// <summary>Throws if a setting is out of range.</summary>
    internal virtual void Validate() => Tensors.Require.NotNegative(Weight);
}

/// <summary>Softened predictions of student and teacher: <see cref="DistillationLosses.SoftTargets"/>.</summary>
/// <remarks>Hinton et al., 2015, https://arxiv.org/abs/1503.02531.</remarks>
public sealed record LogitTerm : DistillationTerm
{
    /// <summary>Divides the logits of both; above 0.</summary>
    public double Temperature { get; init; } = 2;

    /// <summary>
    /// Whether the divergence is that of the student from the teacher: <see cref="DistillationLosses.ReverseSoftTargets"/>. It
    /// needs the whole logits of the teacher.
    /// </summary>
    public bool Reverse { get; init; }

    internal override void Validate()
    {
        base.Validate();
        Tensors.Require.Positive(Temperature);
    }
}

/// <summary>How a <see cref="HiddenTerm"/> compares hidden states.</summary>
public enum HiddenDistance
{
    /// <summary><see cref="DistillationLosses.MeanSquares"/>.</summary>
    MeanSquares,

    /// <summary><see cref="DistillationLosses.Cosine"/>.</summary>
    Cosine,

    /// <summary><see cref="DistillationLosses.AttentionTransfer"/>, for which the widths may differ.</summary>
    Transfer,
}

/// <summary>Residual streams after the layers of student and teacher.</summary>
public sealed record HiddenTerm : DistillationTerm
{
    /// <summary>Which layers are compared; null for <see cref="LayerMap.Even"/>.</summary>
    public LayerMap? Layers { get; init; }

    /// <summary>How they are compared.</summary>
    public HiddenDistance Distance { get; init; } = HiddenDistance.Cosine;

    /// <summary>
    /// The teacher's channels that the student kept, where its residual stream was pruned; null where both are equally wide.
    /// </summary>
    public IReadOnlyList<int>? TeacherChannels { get; init; }

    /// <summary>
    /// Whether a linear layer that is trained with the student maps its channels to the teacher's, the same for all pairs of
    /// layers.
    /// </summary>
    /// <remarks>Jiao et al., TinyBERT, 2020, https://arxiv.org/abs/1909.10351.</remarks>
    public bool Projects { get; init; }

    internal override string Hook => "hook_resid_post";

    internal override void Validate()
    {
        base.Validate();
        Tensors.Require.That(!Projects || TeacherChannels is null, Projects, nameof(Projects),
            $"false with {nameof(TeacherChannels)}, which leaves the teacher as many channels as the student has");
    }

    /// <param name="student">[batch, time, channels], projected if the term asks for it.</param>
    /// <param name="teacher">[batch, time, channels of the teacher].</param>
    /// <param name="mask">bool [batch, time], true for tokens; null for all.</param>
    internal Tensor Of(Tensor student, Tensor teacher, Tensor? mask)
    {
        if (TeacherChannels is { } kept)
            teacher = teacher.index_select(-1, tensor(kept.Select(channel => (long)channel).ToArray(), device: teacher.device));
        return Distance switch
        {
            HiddenDistance.MeanSquares => DistillationLosses.MeanSquares(student, teacher, mask),
            HiddenDistance.Cosine => DistillationLosses.Cosine(student, teacher, mask),
            _ => DistillationLosses.AttentionTransfer(student, teacher),
        };
    }
}

/// <summary>Attention maps of the layers of student and teacher: <see cref="DistillationLosses.AttentionDivergence"/>.</summary>
/// <remarks>Where they have another number of heads, the means over the heads are compared.</remarks>
public sealed record AttentionTerm : DistillationTerm
{
    /// <summary>Which layers are compared; null for <see cref="LayerMap.Even"/>.</summary>
    public LayerMap? Layers { get; init; }

    internal override string Hook => "hook_pattern";

    /// <param name="student">[batch, head, query, key].</param>
    /// <param name="teacher">[batch, head of the teacher, query, key].</param>
    internal static Tensor Of(Tensor student, Tensor teacher) => student.shape[1] == teacher.shape[1]
        ? DistillationLosses.AttentionDivergence(student, teacher)
        : DistillationLosses.AttentionDivergence(student.mean([1]), teacher.mean([1]));
}
