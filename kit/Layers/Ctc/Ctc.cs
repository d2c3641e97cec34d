using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Connectionist temporal classification (CTC): trains a sequence model on label sequences without an
/// alignment.
/// </summary>
/// <remarks>
/// Graves et al., 2006. A path assigns a label or the blank (class 0) to every frame. A path spells the text
/// that is left when repeated labels are merged and blanks removed. The probability of a text is the sum over
/// all its paths.
/// </remarks>
public static class Ctc
{
    /// <summary>Class of the blank.</summary>
    public const int Blank = 0;

    /// <summary>
    /// Computes the CTC loss in nats: −log p(text) divided by the length of the text, averaged over the batch.
    /// </summary>
    /// <param name="logits">[batch, time, classes]; class 0 is the blank.</param>
    /// <param name="frames">Number of frames of each sequence, int64 [batch].</param>
    /// <param name="targets">Labels, int64 [batch, longest text]; entries beyond the length of a text are
    /// ignored.</param>
    /// <param name="lengths">Number of labels of each text, int64 [batch].</param>
    /// <returns>One number; a text that needs more frames than there are adds 0.</returns>
    /// <exception cref="ArgumentException">The shapes do not match, or a length or label is out of
    /// range.</exception>
    public static Tensor Loss(Tensor logits, Tensor frames, Tensor targets, Tensor lengths)
    {
        var (batch, time, classes) = logits.Axes3("logits [batch, time, classes]");
        var (texts, longest) = targets.Axes2("targets [batch, longest text]");
        if (texts != batch)
            throw new ArgumentException($"Got {texts} texts for {batch} sequences; expected one each.", nameof(targets));
        CheckRange(frames, batch, 1, time, nameof(frames));
        CheckRange(lengths, batch, 0, longest, nameof(lengths));
        CheckLabels(targets, lengths, classes);
        using var scope = NewDisposeScope();
        var log = logits.log_softmax(-1).transpose(0, 1);   // [time, batch, classes]
        return functional.ctc_loss(log, targets, frames, lengths, Blank, zero_infinity: true).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Decodes greedily: takes the most probable class of each frame, merges repeats and removes blanks.
    /// </summary>
    /// <param name="logits">[time, classes] of one sequence.</param>
    public static IReadOnlyList<int> Greedy(Tensor logits)
    {
        logits.Axes2("logits [time, classes]");
        using var scope = NewDisposeScope();
        return Collapse(logits.argmax(-1).cpu().data<long>().Select(label => (int)label));
    }

    /// <summary>Converts a path to labels: merges repeats and removes blanks.</summary>
    public static IReadOnlyList<int> Collapse(IEnumerable<int> path)
    {
        var labels = new List<int>();
        var before = Blank;
        foreach (var label in path)
        {
            if (label != Blank && label != before) labels.Add(label);
            before = label;
        }
        return labels;
    }

    private static void CheckRange(Tensor lengths, long batch, long least, long most, string name)
    {
        if (lengths.dtype != ScalarType.Int64 || !lengths.shape.SequenceEqual([batch]))
            throw new ArgumentException($"{name} is {lengths.dtype} {lengths.ShapeText()}; expected Int64 [{batch}].", name);
        using var here = lengths.cpu();
        foreach (var length in here.data<long>())
            if (length < least || length > most)
                throw new ArgumentException($"{name} contains {length}; expected {least} to {most}.", name);
    }

    private static void CheckLabels(Tensor targets, Tensor lengths, long classes)
    {
        if (targets.dtype != ScalarType.Int64)
            throw new ArgumentException($"targets is {targets.dtype}; expected Int64.", nameof(targets));
        using var scope = NewDisposeScope();
        var labels = targets.cpu().contiguous().data<long>().ToArray();
        var counts = lengths.cpu().data<long>().ToArray();
        for (var text = 0; text < counts.Length; text++)
            foreach (var label in labels.AsSpan((int)(text * targets.shape[1]), (int)counts[text]))
                if (label < 1 || label >= classes)
                    throw new ArgumentException($"targets contains the label {label}; "
                    + $"expected 1 to {classes - 1} (0 is the blank).",
                    nameof(targets));
    }
}
