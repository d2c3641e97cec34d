using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Finds rules that are enough for the class of a row.</summary>
/// <remarks>Ribeiro, Singh and Guestrin, 2018.</remarks>
public static class Anchors
{
    private const int MostBinary = 12;

    /// <summary>Searches a rule for the class that a model gives to a row.</summary>
    /// <param name="model">Takes [rows, features]; returns logits [rows, classes], or one logit [rows] of class 1.</param>
    /// <param name="x">The row, [features] or [1, features].</param>
    /// <param name="background">Rows from which others are drawn, [rows, features].</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or the model mixes the rows of a batch.</exception>
    public static Anchor Explain(Func<Tensor, Tensor> model, Tensor x, Tensor background, AnchorOptions? options = null)
    {
        var known = (options ?? new()).Validated();
        var rows = Examples.Rows(background, nameof(background));
        var row = Examples.Row(x, rows[0].Length);
        var names = Examples.Names(known.FeatureNames, row.Length);
        var called = new BatchedModel(model, background);
        var label = called.Classes([row])[0];
        var sampler = new AnchorSampler(rows, known.Seed);
        var conditions = new AnchorSearch(called, sampler, known, label).Best(sampler.ConditionsOf(row, known.Bins, names));
        // rows that the search did not see, so that choosing the best of many rules does not flatter the bound
        var fresh = new AnchorSampler(rows, unchecked(known.Seed + 1_000_003)).Draw(conditions, known.FinalRows);
        var hits = called.Classes(fresh, known.Cancellation).Count(other => other == label);
        return new Anchor(RuleOf(conditions, label, known, fresh.Length), label, hits / (double)fresh.Length,
            Distributions.LowerBound(hits, fresh.Length, known.Confidence), known.Confidence, sampler.Coverage(conditions),
            fresh.Length, called.RowsSeen)
        {
            Target = known.Precision,
        };
    }

    /// <summary>Draws rows that fulfil a rule, as the precision of an anchor is defined.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="background">Rows from which others are drawn, [rows, features].</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <returns>
    /// Float64 [count, features]: random background rows, in which each feature of the rule takes the value of a random
    /// background
    /// row that fulfils its condition.
    /// </returns>
    public static Tensor Sample(Rule rule, Tensor background, int count, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Tensors.Require.AtLeast(1, count);
        var sampler = new AnchorSampler(Examples.Rows(background, nameof(background)), seed);
        return Examples.ToTensor(sampler.Draw(rule.Conditions, count));
    }

    /// <summary>Finds the smallest rule with the precision that was asked, over all inputs of binary features.</summary>
    /// <param name="model">Takes [rows, features]; returns logits [rows, classes], or one logit [rows] of class 1.</param>
    /// <param name="x">The row, [features] or [1, features], of 0 and 1, at most 12.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <returns>
    /// Of the rules with the fewest features, the one with the highest precision, then the highest coverage, then the lowest
    /// features. Its precision is exact.
    /// </returns>
    /// <exception cref="ArgumentException">There are more than 12 features, or one is neither 0 nor 1.</exception>
    public static Anchor Exhaustive(Func<Tensor, Tensor> model, Tensor x, AnchorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        var known = (options ?? new()).Validated();
        var row = Examples.Row(x, (int)x.shape[^1]);
        if (row.Length > MostBinary)
            throw new ArgumentException($"Got {row.Length} features; the search over all inputs takes at most {MostBinary}.",
                nameof(x));
        if (Array.Find(row, value => value is not (0 or 1)) is var odd && odd is not (0 or 1))
            throw new ArgumentException(FormattableString.Invariant($"x holds {odd}; expected features that are 0 or 1."),
                nameof(x));
        var names = Examples.Names(known.FeatureNames, row.Length);
        var ones = known.Probabilities ?? [.. row.Select(_ => 0.5)];
        if (ones.Count != row.Length || ones.Any(one => one is not (> 0 and < 1)))
            throw new ArgumentException($"Expected {row.Length} probabilities between 0 and 1.", nameof(options));
        var inputs = Enumerable.Range(0, 1 << row.Length)
            .Select(bits => row.Select((_, feature) => (double)(bits >> feature & 1)).ToArray()).ToArray();
        var called = new BatchedModel(model, x);
        var classes = called.Classes(inputs, known.Cancellation);
        var own = Enumerable.Range(0, row.Length).Sum(feature => (int)row[feature] << feature);
        var weights = Array.ConvertAll(inputs, input =>
            input.Select((value, feature) => value > 0 ? ones[feature] : 1 - ones[feature]).Aggregate((a, b) => a * b));
        var (set, precision, coverage) = Smallest(classes, weights, own, known.Precision);
        var conditions = Enumerable.Range(0, row.Length).Where(feature => (set >> feature & 1) == 1).Select(feature =>
            new Condition(feature, names[feature], row[feature] > 0 ? 0.5 : double.NegativeInfinity,
                row[feature] > 0 ? double.PositiveInfinity : 0.5)).ToList();
        return new Anchor(RuleOf(conditions, classes[own], known, inputs.Length), classes[own], precision, precision,
            known.Confidence,
            coverage, inputs.Length, called.RowsSeen)
        {
            Target = known.Precision,
            IsExact = true,
        };
    }

    private static (int Set, double Precision, double Coverage) Smallest(int[] classes, double[] weights, int own, double wanted)
    {
        var features = System.Numerics.BitOperations.Log2((uint)classes.Length);
        foreach (var sets in Enumerable.Range(0, classes.Length).GroupBy(set => System.Numerics.BitOperations.PopCount((uint)set))
            .OrderBy(group => group.Key))
        {
            var precise = sets.Select(set => Rated(set)).Where(one => one.Precision >= wanted - 1e-12).ToList();
            if (precise.Count > 0)
                return precise.OrderByDescending(one => Math.Round(one.Precision, 12))
                    .ThenByDescending(one => Math.Round(one.Coverage, 12)).ThenBy(one => one.Set).First();
        }
        return Rated((1 << features) - 1);

        (int Set, double Precision, double Coverage) Rated(int set)
        {
            double all = 0, same = 0;
            for (var input = 0; input < classes.Length; input++)
            {
                if (((input ^ own) & set) != 0) continue;
                all += weights[input];
                if (classes[input] == classes[own]) same += weights[input];
            }
            return (set, same / all, all);
        }
    }

    private static Rule RuleOf(IReadOnlyList<Condition> conditions, int label, AnchorOptions options, int rows) => new(conditions,
        [label], options.ClassNames is { } names && label < names.Count ? names[label] : $"class {label}", rows);
}
