using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How a list of rules is made.</summary>
public sealed record RuleListOptions
{
    /// <summary>Largest number of rules, without the last one that always holds.</summary>
    public int MaxRules { get; init; } = 8;

    /// <summary>Largest number of conditions of a rule.</summary>
    public int MaxConditions { get; init; } = 3;

    /// <summary>Smallest number of training rows of a rule.</summary>
    public int MinSamples { get; init; } = 5;

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }

    /// <summary>Names of the classes; null for 0, 1, ….</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }
}

/// <summary>An ordered list of rules: the first whose conditions hold decides.</summary>
/// <remarks>
/// Frank and Witten, 1998 (PART): each rule is the best leaf of a small tree on the rows that no earlier rule covers. Best is
/// the leaf with the highest 95 % lower bound of its share of one class; for numbers the one that explains most variance.
/// </remarks>
public sealed class RuleList : ITabularModel
{
    private RuleList(IReadOnlyList<Rule> rules, bool isClassifier, IReadOnlyList<string> features, IReadOnlyList<string> classes)
    {
        Rules = rules;
        IsClassifier = isClassifier;
        FeatureNames = features;
        ClassNames = classes;
    }

    /// <summary>Makes a list.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">Whole numbers [rows] are classes; floating-point numbers are numeric targets.</param>
    /// <param name="options">How; null for defaults.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static RuleList Fit(Tensor x, Tensor y, RuleListOptions? options = null)
    {
        var known = options ?? new RuleListOptions();
        Tensors.Require.Sizes((known.MaxRules, nameof(known.MaxRules)), (known.MaxConditions, nameof(known.MaxConditions)),
            (known.MinSamples, nameof(known.MinSamples)));
        using var scope = NewDisposeScope();
        var whole = DecisionTree.Fit(x, y, new DecisionTreeOptions
        {
            MaxDepth = 1,
            FeatureNames = known.FeatureNames,
            ClassNames = known.ClassNames,
        });
        var grow = new DecisionTreeOptions
        {
            MaxDepth = known.MaxConditions,
            MinSamplesLeaf = known.MinSamples,
            FeatureNames = whole.FeatureNames,
            ClassNames = whole.IsClassifier ? whole.ClassNames : null,
        };
        var rows = Examples.Rows(x.to(ScalarType.Float32));
        var left = Enumerable.Range(0, rows.Length).ToList();
        var rules = new List<Rule>();
        while (rules.Count < known.MaxRules && left.Count >= 2 * known.MinSamples)
        {
            var tree = Tree(x, y, left, grow);
            if (tree.Leaves == 1) break;
            var best = tree.Rules().MaxBy(rule => Worth(rule, tree))!;
            rules.Add(best);
            left.RemoveAll(row => best.Holds(rows[row]));
        }
        if (left.Count > 0) rules.Add(Tree(x, y, left, grow with { MinSamplesSplit = int.MaxValue }).Rules()[0]);
        else rules.Add(rules[^1] with { Conditions = [], Samples = 0 });
        return new RuleList(rules, whole.IsClassifier, whole.FeatureNames, whole.ClassNames);
    }

    /// <summary>The rules in order; the last one always holds.</summary>
    public IReadOnlyList<Rule> Rules { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Names of the classes; empty for numeric targets.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public bool IsClassifier { get; }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x)
    {
        var deciding = Array.ConvertAll(Deciding(x), at => Rules[at]);
        return IsClassifier ? tensor(Array.ConvertAll(deciding, rule => (long)BatchedModel.Largest(rule.Output)))
            : tensor(Array.ConvertAll(deciding, rule => rule.Output[0]));
    }

    /// <summary>Returns the number of the rule that decides each row.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Int64 [rows].</returns>
    public Tensor Apply(Tensor x) => tensor(Array.ConvertAll(Deciding(x), at => (long)at));

    /// <inheritdoc/>
    public string ToText() => string.Join('\n', Rules.Select((rule, at) => string.Concat(
        at == 0 ? "if " : at < Rules.Count - 1 ? "else if " : "else ",
        at < Rules.Count - 1 ? $"{rule.Premise} then " : "", rule.Consequence, $"   ({Share(rule)}{rule.Samples} rows)")));

    /// <inheritdoc/>
    public override string ToString() => $"{Rules.Count} rules\n{ToText()}";

    private string Share(Rule rule) => IsClassifier ? FormattableString.Invariant($"{100 * rule.Output.Max():0.#} % of ") : "";

    private int[] Deciding(Tensor x)
    {
        using var scope = NewDisposeScope();
        var rows = Examples.Rows(x.to(ScalarType.Float32));
        if (rows[0].Length != FeatureNames.Count)
            throw new ArgumentException($"Got {rows[0].Length} features; expected {FeatureNames.Count}.", nameof(x));
        return Array.ConvertAll(rows, row => Enumerable.Range(0, Rules.Count).First(at => Rules[at].Holds(row)));
    }

    private static DecisionTree Tree(Tensor x, Tensor y, List<int> left, DecisionTreeOptions options)
    {
        using var scope = NewDisposeScope();
        var rows = tensor(left.Select(row => (long)row).ToArray(), device: x.device);
        return DecisionTree.Fit(x.index_select(0, rows), y.reshape(-1).index_select(0, rows.to(y.device)), options);
    }

    private static double Worth(Rule rule, DecisionTree tree)
    {
        if (!tree.IsClassifier) return rule.Samples * Math.Pow(rule.Output[0] - tree.Nodes[0].Value[0], 2);
        var hits = (long)Math.Round(rule.Output.Max() * rule.Samples);
        return Distributions.LowerBound(hits, rule.Samples, 0.95);
    }
}
