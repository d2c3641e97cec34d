using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A text found by the beam search, with its probability.</summary>
/// <param name="Labels">Labels of the text.</param>
/// <param name="LogProbability">Log of the summed probability of the paths that the search kept, in
/// nats.</param>
public sealed record CtcHypothesis(IReadOnlyList<int> Labels, double LogProbability);

/// <summary>
/// Finds the most probable texts of a CTC model, and sums the probabilities of all paths with the same text.
/// </summary>
/// <remarks>
/// Prefix beam search, Hannun et al., 2014, https://arxiv.org/abs/1408.2873. It is exact if the beam is at
/// least as wide as the number of prefixes. The most probable text is not always that of the most probable
/// path.
/// </remarks>
public static class CtcBeamSearch
{
    /// <summary>Decodes one sequence.</summary>
    /// <param name="logits">[time, classes] of one sequence; class 0 is the blank.</param>
    /// <param name="width">Beam width: number of prefixes that are kept after each frame.</param>
    /// <returns>The texts in the final beam, most probable first.</returns>
    /// <exception cref="ArgumentException">The logits do not have two axes, or the width is below 1.</exception>
    public static IReadOnlyList<CtcHypothesis> Decode(Tensor logits, int width = 16)
    {
        var (time, classes) = logits.Axes2("logits [time, classes]");
        if (width < 1) throw new ArgumentException($"The beam width is {width}; it must be at least 1.", nameof(width));
        using var scope = NewDisposeScope();
        var log = logits.detach().to(float64).log_softmax(-1).cpu().contiguous().data<double>().ToArray();

        var beam = new Dictionary<Prefix, Weight> { [new Prefix(null, Ctc.Blank)] = new(0, double.NegativeInfinity) };
        for (var frame = 0; frame < time; frame++)
            beam = Advance(beam, log.AsSpan((int)(frame * classes), (int)classes)).OrderByDescending(entry => entry.Value.Sum)
                .Take(width).ToDictionary();
        return [.. beam.OrderByDescending(entry => entry.Value.Sum)
            .Select(entry => new CtcHypothesis(entry.Key.Labels(), entry.Value.Sum))];
    }

    private static Dictionary<Prefix, Weight> Advance(Dictionary<Prefix, Weight> beam, ReadOnlySpan<double> log)
    {
        var next = new Dictionary<Prefix, Weight>();
        void Add(Prefix prefix, double blank, double label)
        {
            if (double.IsNegativeInfinity(blank) && double.IsNegativeInfinity(label)) return;
            var before = next.GetValueOrDefault(prefix, new(double.NegativeInfinity, double.NegativeInfinity));
            next[prefix] = new Weight(LogAdd(before.Blank, blank), LogAdd(before.Label, label));
        }

        foreach (var (prefix, weight) in beam)
        {
            Add(prefix, weight.Sum + log[Ctc.Blank], double.NegativeInfinity);
            // the label is repeated
            if (prefix.Before is not null) Add(prefix, double.NegativeInfinity, weight.Label + log[prefix.Last]);
            for (var label = 1; label < log.Length; label++)
                // To repeat a label in the text, a blank must come between.
                Add(new Prefix(prefix, label), double.NegativeInfinity,
                    (label == prefix.Last ? weight.Blank : weight.Sum) + log[label]);
        }
        return next;
    }

    private static double LogAdd(double a, double b)
    {
        var most = Math.Max(a, b);
        var least = Math.Min(a, b);
        return double.IsNegativeInfinity(least) ? most : most + Math.Log(1 + Math.Exp(least - most));
    }

    /// <summary>The labels so far. Two prefixes are equal if their labels are.</summary>
    private sealed record Prefix(Prefix? Before, int Last)
    {
        private readonly int hash = HashCode.Combine(Before?.GetHashCode(), Last);   // computed once for each prefix

        public override int GetHashCode() => hash;

        public List<int> Labels()
        {
            var labels = new List<int>();
            for (var prefix = this; prefix.Before is not null; prefix = prefix.Before) labels.Add(prefix.Last);
            labels.Reverse();
            return labels;
        }
    }

    /// <summary>
    /// Log-probabilities of a prefix: of its paths that end in a blank, and of those that end in a label.
    /// </summary>
    private readonly record struct Weight(double Blank, double Label)
    {
        public double Sum { get; } = LogAdd(Blank, Label);
    }
}
