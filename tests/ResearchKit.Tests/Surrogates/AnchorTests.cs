using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class AnchorTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_smallest_rule_of_a_conjunction_is_the_conjunction()
    {
        static Tensor And(Tensor x) => (x.select(1, 1) * x.select(1, 3)) - 0.5;
        var anchor = Anchors.Exhaustive(And, tensor(new[] { 0.0, 1, 0, 1, 1 }), new() { Precision = 0.99 });
        Assert.Equal([1, 3], anchor.Rule.Conditions.Select(condition => condition.Feature));
        Assert.Equal((1, 1.0, 0.25), (anchor.Class, anchor.Precision, anchor.Coverage));
        // one zero is enough for class 0
        var other = Anchors.Exhaustive(And, tensor(new[] { 1.0, 0, 1, 1, 1 }), new() { Precision = 0.99 });
        Assert.Equal([1], other.Rule.Conditions.Select(condition => condition.Feature));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_smaller_rule_of_a_random_function_is_as_precise(int seed)
    {
        const int Features = 7;
        var random = new Random(seed);
        var table = Enumerable.Range(0, 1 << Features).Select(_ => random.NextDouble() < 0.7 ? 1.0 : -1.0).ToArray();
        var powers = tensor(Enumerable.Range(0, Features).Select(bit => (double)(1 << bit)).ToArray());
        Tensor Function(Tensor x) => tensor(table).index_select(0, x.to(float64).matmul(powers).to(int64));
        var own = random.Next(1 << Features);
        var chances = Enumerable.Range(0, Features).Select(_ => 0.2 + (0.6 * random.NextDouble())).ToArray();
        var row = tensor(Enumerable.Range(0, Features).Select(bit => (double)(own >> bit & 1)).ToArray());
        var anchor = Anchors.Exhaustive(Function, row, new() { Precision = 0.9, Probabilities = chances });
        double Precision(int set)
        {
            double all = 0, same = 0;
            for (var input = 0; input < table.Length; input++)
            {
                if (((input ^ own) & set) != 0) continue;
                var weight = Enumerable.Range(0, Features).Aggregate(1.0, (product, bit) =>
                    product * ((input >> bit & 1) == 1 ? chances[bit] : 1 - chances[bit]));
                all += weight;
                if (table[input].Equals(table[own])) same += weight;
            }
            return same / all;
        }
        var found = anchor.Rule.Conditions.Sum(condition => 1 << condition.Feature);
        Assert.Equal(Precision(found), anchor.Precision, 12);
        Assert.True(anchor.Precision >= 0.9 - 1e-12);
        Assert.All(Enumerable.Range(0, 1 << Features).Where(set => int.PopCount(set) < int.PopCount(found)),
            set => Assert.True(Precision(set) < 0.9));
        Assert.All(Enumerable.Range(0, 1 << Features).Where(set => int.PopCount(set) == int.PopCount(found)),
            set => Assert.True(Precision(set) <= anchor.Precision + 1e-12));
    }

    [Fact]
    public void The_stated_bound_holds_on_fresh_rows()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 3 });
        var (held, reached) = (0, 0);
        for (var row = 0; row < 14; row++)
        {
            var anchor = Anchors.Explain(tree.PredictProbabilities, x[row * 40], x, new()
            {
                Seed = row,
                FinalRows = 1000,
                MaxRows = 30_000
            });
            var fresh = Anchors.Sample(anchor.Rule, x, 4000, seed: 77 + row);
            var precision = tree.Predict(fresh).eq(anchor.Class).to(float64).mean().item<double>();
            if (precision >= anchor.LowerBound - (2 * Math.Sqrt(0.25 / 4000))) held++;
            if (anchor.ReachesTarget) reached++;
            Assert.True(anchor.Rule.Holds(x[row * 40].Values()));
            Assert.True(anchor.ModelRows <= 30_000 + 1000 + 1, $"{anchor.ModelRows} rows");
        }
        Assert.True(held >= 13, $"{held} of 14 bounds held");
        Assert.True(reached >= 12, $"{reached} of 14 rules are precise enough");
    }

    [Fact]
    public void A_constant_model_needs_no_condition()
    {
        var x = randn([50, 3], float64);
        var anchor = Anchors.Explain(rows => ones_like(rows.select(1, 0)), x[0], x);
        Assert.Empty(anchor.Rule.Conditions);
        Assert.Equal((1.0, 1.0), (anchor.Precision, anchor.Coverage));
    }

    [Fact]
    public void More_than_twelve_features_and_other_values_are_refused()
    {
        Assert.Contains("at most 12", Assert.Throws<ArgumentException>(() =>
            Anchors.Exhaustive(x => x.select(1, 0), ones(13))).Message, StringComparison.Ordinal);
        Assert.Contains("0.5", Assert.Throws<ArgumentException>(() =>
            Anchors.Exhaustive(x => x.select(1, 0), tensor(new[] { 1, 0.5 }))).Message, StringComparison.Ordinal);
    }
}
