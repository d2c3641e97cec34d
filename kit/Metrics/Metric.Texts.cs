namespace ResearchKit.Metrics;

public static partial class Metric
{
    /// <summary>Character error rate: edits of all texts over the characters of all references.</summary>
    /// <remarks>A character is a Unicode code point.</remarks>
    public static Metric<string> CharacterErrorRate { get; } =
        ErrorRate("character error rate", text => [.. text.EnumerateRunes().Select(rune => rune.ToString())]);

    /// <summary>
    /// Word error rate: edits of all texts over the words of all references; words are separated by white space.
    /// </summary>
    public static Metric<string> WordErrorRate { get; } = ErrorRate("word error rate", Words);

    /// <summary>
    /// BLEU of a corpus, from 0 to 100: n-gram precision up to <paramref name="order"/> words, with a penalty for short
    /// predictions.
    /// </summary>
    /// <param name="order">Longest n-gram, in words.</param>
    /// <remarks>
    /// Papineni et al., 2002, https://aclanthology.org/P02-1040, one reference for each prediction, no smoothing. Words are
    /// separated by white space: separate punctuation before, as the tokenizer of the test set does.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="order"/> is below 1.</exception>
    public static Metric<string> Bleu(int order = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        return new("BLEU", "of 100", (predicted, reference) =>
        {
            var (hypothesis, target) = (Words(predicted), Words(reference));
            var counts = Enumerable.Range(1, order).Select(n => Overlap(hypothesis, target, n)).ToList();
            return new([hypothesis.Length, target.Length, .. counts.Select(count => count.Common),
                .. counts.Select(count => count.Predicted)], []);
        }, state =>
        {
            double predicted = state.Sums[0], target = state.Sums[1], logarithms = 0;
            for (var n = 0; n < order; n++) logarithms += Math.Log(state.Sums[2 + n] / state.Sums[2 + order + n]) / order;
            var brevity = predicted > target ? 1 : Math.Exp(1 - (target / predicted));
            return double.IsFinite(logarithms) ? 100 * brevity * Math.Exp(logarithms) : 0;
        });
    }

    /// <summary>chrF of a corpus, from 0 to 100: F-score of character n-grams, white space left out.</summary>
    /// <param name="order">Longest n-gram, in characters.</param>
    /// <param name="beta">How much more recall counts than precision.</param>
    /// <remarks>
    /// Popović, 2015, https://aclanthology.org/W15-3049: precision and recall are averaged over the orders, then combined.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="order"/> is below 1.</exception>
    public static Metric<string> ChrF(int order = 6, double beta = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        return new("chrF", "of 100", (predicted, reference) =>
        {
            var (hypothesis, target) = (Characters(predicted), Characters(reference));
            var counts = Enumerable.Range(1, order).Select(n => Overlap(hypothesis, target, n)).ToList();
            return new([.. counts.Select(count => count.Common), .. counts.Select(count => count.Predicted),
                .. counts.Select(count => count.Target)], []);
        }, state =>
        {
            double precision = 0, recall = 0;
            var orders = 0;
            for (var n = 0; n < order; n++)
            {
                var (common, predicted, target) = (state.Sums[n], state.Sums[order + n], state.Sums[(2 * order) + n]);
                if (predicted == 0 || target == 0) continue;
                orders++;
                precision += common / predicted;
                recall += common / target;
            }
            if (precision == 0 || recall == 0) return 0;
            (precision, recall) = (precision / orders, recall / orders);
            return 100 * (1 + (beta * beta)) * precision * recall / ((beta * beta * precision) + recall);
        });
    }

    /// <summary>Share of predictions that equal their reference, letter by letter.</summary>
    public static Metric<string> ExactMatch { get; } =
        new("exact match", "share", (predicted, reference) => new(predicted == reference ? 1 : 0, 1), Ratio);

    private static Metric<string> ErrorRate(string name, Func<string, string[]> symbols) =>
        new(name, "edits per symbol", (predicted, reference) =>
    {
        var target = symbols(reference);
        return new(EditDistance.Between(symbols(predicted), target), target.Length);
    }, Ratio, higherIsBetter: false);

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static string[] Characters(string text) =>
        [.. text.EnumerateRunes().Where(rune => !System.Text.Rune.IsWhiteSpace(rune)).Select(rune => rune.ToString())];

    /// <summary>n-grams that both have (each as often as in the one that has fewer), and those of each.</summary>
    private static (double Common, double Predicted, double Target) Overlap(string[] predicted, string[] target, int n)
    {
        var (ours, theirs) = (Grams(predicted, n), Grams(target, n));
        return (ours.Sum(gram => Math.Min(gram.Value, theirs.GetValueOrDefault(gram.Key))), ours.Values.Sum(),
            theirs.Values.Sum());
    }

    private static Dictionary<string, int> Grams(string[] symbols, int n)
    {
        var counts = new Dictionary<string, int>();
        for (var first = 0; first + n <= symbols.Length; first++)
        {
            var gram = string.Join('\u0001', symbols, first, n);
            counts[gram] = counts.GetValueOrDefault(gram) + 1;
        }
        return counts;
    }
}
