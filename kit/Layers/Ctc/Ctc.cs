using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Connectionist temporal classification: labels for a longer sequence, without saying where each label stands.
/// </summary>
/// <remarks>
/// Graves et al., 2006. A path gives every frame a label or the blank (class 0); repeated labels count once and blanks nothing.
/// The probability of a text is the sum over all its paths.
/// </remarks>
public static class Ctc
{
    /// <summary>The class that stands for no label.</summary>
    public const int Blank = 0;

    /// <summary>Mean over the batch of −log p(text), each divided by the text's length, in nats.</summary>
    /// <param name="logits">[batch, time, classes], class 0 being the blank.</param>
    /// <param name="frames">Frames of each sequence, int64 [batch].</param>
    /// <param name="targets">Labels, int64 [batch, longest text]; whatever beyond a text's length.</param>
    /// <param name="lengths">Labels of each text, int64 [batch].</param>
    /// <returns>One number; a text for which there are too few frames adds nothing.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, or a length or label is out of range.</exception>
    public static Tensor Loss(Tensor logits, Tensor frames, Tensor targets, Tensor lengths)
    {
        var (batch, time, classes) = logits.Axes3("logits [batch, time, classes]");
        var (texts, longest) = targets.Axes2("targets [batch, longest text]");
        if (texts != batch) throw new ArgumentException($"Got {texts} texts for {batch} sequences.", nameof(targets));
        CheckRange(frames, batch, 1, time, nameof(frames));
        CheckRange(lengths, batch, 0, longest, nameof(lengths));
        CheckLabels(targets, lengths, classes);
        using var scope = NewDisposeScope();
        var log = logits.log_softmax(-1).transpose(0, 1);   // [time, batch, classes]
        return functional.ctc_loss(log, targets, frames, lengths, Blank, zero_infinity: true).MoveToOuterDisposeScope();
    }

    /// <summary>The labels of the likeliest path: the likeliest class of each frame, repeats once, blanks left out.</summary>
    /// <param name="logits">[time, classes] of one sequence.</param>
    public static IReadOnlyList<int> Greedy(Tensor logits)
    {
        logits.Axes2("logits [time, classes]");
        using var scope = NewDisposeScope();
        return Collapse(logits.argmax(-1).cpu().data<long>().Select(label => (int)label));
    }

    /// <summary>What a path says: repeats once, blanks left out.</summary>
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
                throw new ArgumentException($"{name} has {length}; expected {least} to {most}.", name);
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
                    throw new ArgumentException($"targets has the label {label}; expected 1 to {classes - 1} (0 is the blank).",
                        nameof(targets));
    }
}
