using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Formatting;

public sealed class SurrogateFormattingTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Hostile_names_show_as_text_in_every_figure()
    {
        string[] names = [$"a{Hostile.Text}", $"b{Hostile.Text}", "c"];
        string[] classes = [Hostile.Text, "other"];
        foreach (var shown in Everything(names, classes))
        {
            Hostile.AssertHarmless(shown);
            Assert.True(Shown.Page(shown).Length < 60_000, $"{shown.GetType().Name}: {Shown.Page(shown).Length} characters");
        }
    }

    [Fact]
    public void A_waterfall_has_a_bar_for_each_term_and_one_for_the_others()
    {
        var one = new Explanation("sum", [.. Enumerable.Range(0, 14).Select(term => $"term {term}")],
            [.. Enumerable.Range(0, 14).Select(term => term == 0 ? double.NaN : 1.5)],
            [.. Enumerable.Range(0, 14).Select(term => term % 2 == 0 ? 1.0 + term : -1.0 - term)], 2, -5);
        var titles = Svg(one, "title");
        Assert.Equal(10, titles.Count);
        Assert.Equal("term 13 = 1.5: -14", titles[^1]);
        Assert.StartsWith("5 other terms", titles[0], StringComparison.Ordinal);
        Assert.Contains("off by 0, within", Shown.Document(one).Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_beeswarm_draws_many_rows_in_few_bytes()
    {
        manual_seed(1);
        var values = randn([5000, 40], float64).data<double>().ToArray();
        var grid = new double[5000, 40];
        Buffer.BlockCopy(values, 0, grid, 0, values.Length * sizeof(double));
        var set = new ExplanationSet("sums", [.. Enumerable.Range(0, 40).Select(term => $"term {term}")], grid, grid, 0,
            new double[5000]);
        var page = Shown.Page(set);
        Assert.True(page.Length < 120_000, $"{page.Length} characters");
        Assert.Contains("250 of 5,000 rows", page, StringComparison.Ordinal);
        Assert.Contains("28 terms of smaller mean", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tree_has_a_box_for_each_node()
    {
        var x = tensor(new double[] { 1, 2, 3, 4, 5, 6 }, [6, 1]);
        var tree = DecisionTree.Fit(x, tensor(new long[] { 0, 0, 1, 1, 0, 0 }), new()
        {
            FeatureNames = ["age"],
            ClassNames =
            ["no", "yes"]
        });
        var titles = Svg(tree, "title");
        Assert.Equal(tree.Nodes.Count, titles.Count);
        Assert.StartsWith("age ≤ 2.5; 6 rows; impurity 0.4444; no 4, yes 2", titles[0], StringComparison.Ordinal);
        Assert.Contains("|--- age <= 2.50", Shown.Text(tree), StringComparison.Ordinal);
    }

    private static List<string> Svg(object shown, string element) => [.. Shown.Document(shown).Descendants()
        .Where(each => each.Name.LocalName == element).Select(each => each.Value)];

    private static IEnumerable<object> Everything(string[] names, string[] classes)
    {
        manual_seed(2);
        var x = randn([60, 3], float64);
        var y = (x.select(1, 0) + x.select(1, 1)).gt(0).to(int64);
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 2, FeatureNames = names, ClassNames = classes });
        var boosted = ExplainableBoosting.Fit(x, y, new()
        {
            MaxRounds = 5,
            Interactions = 1,
            FeatureNames = names,
            ClassNames =
            classes
        });
        var explained = boosted.Explain(x);
        yield return tree;
        yield return boosted;
        yield return boosted.Pairs[0];
        yield return explained;
        yield return explained[0];
        yield return explained.Dependence(names[0], names[1]);
        yield return explained.MeanAbsolute();
        yield return TreeShap.Explain(tree, x);
        yield return RuleList.Fit(x, y, new() { FeatureNames = names, ClassNames = classes });
        yield return RuleFit.Fit(x, y, new() { Trees = 3, FeatureNames = names });
        yield return Surrogate.FitTree(boosted.Logits, x, x, new() { MaxDepth = 2, FeatureNames = names, ClassNames = classes },
            classes: true);
        yield return FeatureEffect.PartialDependence(boosted.Logits, x, 0, new() { IndividualCurves = 5, FeatureNames = names });
        yield return FeatureEffect.AccumulatedLocalEffects(boosted.Logits, x, 0, new() { FeatureNames = names });
        yield return ReliabilityDiagram.OfProbabilities(boosted.PredictProbabilities(x).select(1, 1), y);
        yield return PermutationImportance.Compute(tree.Predict, x, y, new() { FeatureNames = names });
        yield return SobolIndices.Compute(rows => rows.sum(dim: 1), [(0, 1), (0, 1), (0, 1)],
            new() { BasePoints = 64, Resamples = 3, FeatureNames = names });
        yield return ElementaryEffects.Compute(rows => rows.sum(dim: 1), [(0, 1), (0, 1), (0, 1)], new()
        {
            FeatureNames =
            names
        });
        yield return Counterfactuals.Explain(boosted.Logits, x[0], x, new() { MaxRows = 500, FeatureNames = names });
        yield return Anchors.Explain(boosted.Logits, x[0], x, new()
        {
            MaxRows = 500,
            FinalRows = 50,
            FeatureNames = names,
            ClassNames = classes
        });
    }
}
