using System.Text.RegularExpressions;

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
    /// <param name="words">
    /// Divides a text into words; null for white space. <see cref="Mteval13a"/> gives the numbers of sacrebleu's default.
    /// </param>
    /// <param name="isSmoothed">
    /// Whether the k-th order without a match counts as 1/2ᵏ matches, as sacrebleu does by default; otherwise one such order
    /// makes the value 0.
    /// </param>
    /// <remarks>Papineni et al., 2002, https://aclanthology.org/P02-1040, with one reference for each prediction.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="order"/> is below 1.</exception>
    public static Metric<string> Bleu(int order = 4, Func<string, string[]>? words = null, bool isSmoothed = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        words ??= Words;
        return new("BLEU", "of 100", (predicted, reference) =>
        {
            var (hypothesis, target) = (words(predicted), words(reference));
            var counts = Enumerable.Range(1, order).Select(n => Overlap(hypothesis, target, n)).ToList();
            return new([hypothesis.Length, target.Length, .. counts.Select(count => count.Common),
                .. counts.Select(count => count.Predicted)], []);
        }, state => Bleu(state, order, isSmoothed));
    }

    /// <summary>
    /// Divides a text into words as the WMT scoring script mteval-v13a does: punctuation becomes words of its own, but a point or
    /// a comma inside a number stays.
    /// </summary>
    /// <remarks>sacrebleu's tokenizer <c>13a</c>, Post, 2018, https://aclanthology.org/W18-6319.</remarks>
    public static string[] Mteval13a(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plain = text.Replace("<skipped>", "", StringComparison.Ordinal).Replace("-\n", "", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        var spaced = Symbols().Replace($" {plain} ", " $1 ");
        spaced = PointAfterOther().Replace(spaced, "$1 $2 ");
        spaced = PointBeforeOther().Replace(spaced, " $1 $2");
        return Words(DashAfterDigit().Replace(spaced, "$1 $2 "));
    }

    /// <summary>chrF of a corpus, from 0 to 100: F-score of character n-grams, white space left out.</summary>
    /// <param name="order">Longest n-gram, in characters.</param>
    /// <param name="beta">How much more recall counts than precision.</param>
    /// <remarks>
    /// Popović, 2015, https://aclanthology.org/W15-3049, as in sacrebleu: precision and recall are averaged over the orders, then
    /// combined. Where a reference is too short to have n-grams of an order, those of its prediction do not count.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="order"/> is below 1.</exception>
    public static Metric<string> ChrF(int order = 6, double beta = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 1);
        return new("chrF", "of 100", (predicted, reference) =>
        {
            var (hypothesis, target) = (Characters(predicted), Characters(reference));
            var counts = Enumerable.Range(1, order).Select(n => Overlap(hypothesis, target, n)).ToList();
            return new([.. counts.Select(count => count.Common),
                .. counts.Select(count => count.Target == 0 ? 0 : count.Predicted), .. counts.Select(count => count.Target)], []);
        }, state => ChrF(state, order, beta));
    }

    /// <summary>Share of predictions that equal their reference, letter by letter.</summary>
    public static Metric<string> ExactMatch { get; } =
        new("exact match", "share", (predicted, reference) => new(predicted == reference ? 1 : 0, 1), Ratio);

    private static double Bleu(MetricState state, int order, bool isSmoothed)
    {
        double predicted = state.Sums[0], target = state.Sums[1], logarithms = 0, share = 1;
        var counts = Enumerable.Range(0, order).Select(n => (Common: state.Sums[2 + n], All: state.Sums[2 + order + n])).ToList();
        if (counts.All(count => count.Common == 0) || counts.Any(count => count.All == 0)) return 0;
        foreach (var (common, all) in counts)
        {
            if (common == 0 && !isSmoothed) return 0;
            logarithms += Math.Log((common > 0 ? common : share /= 2) / all) / order;
        }
        var brevity = predicted > target ? 1 : Math.Exp(1 - (target / predicted));
        return 100 * brevity * Math.Exp(logarithms);
    }

    private static double ChrF(MetricState state, int order, double beta)
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
    }

    [GeneratedRegex(@"([{-~\[-` -&(-+:-@/])")]
    private static partial Regex Symbols();

    [GeneratedRegex("([^0-9])([.,])")]
    private static partial Regex PointAfterOther();

    [GeneratedRegex("([.,])([^0-9])")]
    private static partial Regex PointBeforeOther();

    [GeneratedRegex("([0-9])(-)")]
    private static partial Regex DashAfterDigit();

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
