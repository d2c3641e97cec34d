using ResearchKit.Surrogates;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Surrogates;

public sealed class SurrogateTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void A_tree_imitates_itself_perfectly()
    {
        var (x, y) = Classic.Data("breast_cancer");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 3 });
        var (train, test) = (x.narrow(0, 0, 400), x.narrow(0, 400, 169));
        var surrogate = Surrogate.FitTree(tree.PredictProbabilities, train, test, new());
        Assert.Equal(1, surrogate.Training.Value);
        Assert.True(surrogate.HeldOut.Value > 0.95 && surrogate.HeldOut.Value >= surrogate.HeldOut.Floor);
        var itself = Surrogate.Fit(tree.PredictProbabilities, train, test, classes: true, (_, _) => tree);
        Assert.Equal(1, itself.HeldOut.Value);
    }

    [Fact]
    public void Every_surrogate_of_a_network_states_its_fidelity_on_held_out_rows()
    {
        manual_seed(7);
        var (x, y) = Classic.Data("breast_cancer");
        var centred = x - x.mean([0]);
        var rows = centred / centred.square().mean([0]).sqrt();
        var logistic = LogisticRegression.Fit(rows, y);
        var (train, test) = (rows.narrow(0, 0, 400), rows.narrow(0, 400, 169));
        var tree = Surrogate.FitTree(logistic.Logits, train, test, classes: true);
        var list = Surrogate.FitRuleList(logistic.Logits, train, test, classes: true);
        var rules = Surrogate.FitRules(logistic.Logits, train, test, classes: true);
        var numbers = Surrogate.FitTree(logistic.Logits, train, test);
        foreach (var fidelity in new[] { tree.HeldOut, list.HeldOut, rules.HeldOut })
            Assert.True(fidelity.Value > 0.85 && fidelity.Value > fidelity.Floor, fidelity.ToString());
        Assert.True(numbers.HeldOut.Value > 0.4 && !numbers.Model.IsClassifier, numbers.HeldOut.ToString());
        Assert.Equal("same class", list.HeldOut.Measure);
        Assert.Equal("R²", numbers.HeldOut.Measure);
    }

    [Fact]
    public void A_rule_list_finds_the_rules_of_a_list()
    {
        manual_seed(8);
        var x = rand([600, 3], float64);
        var y = where(x.select(1, 0) > 0.8, tensor(2L), where(x.select(1, 1) > 0.5, tensor(1L), tensor(0L)));
        var list = RuleList.Fit(x, y, new() { MaxConditions = 2 });
        Assert.True(list.Predict(x).eq(y).to(float64).mean().item<double>() > 0.98, list.ToString());
        Assert.InRange(list.Rules.Count, 3, 6);
        Assert.Empty(list.Rules[^1].Conditions);
        Assert.StartsWith("if ", list.ToText(), StringComparison.Ordinal);
        var deciding = list.Apply(x).data<long>().ToArray();
        for (var row = 0; row < 50; row++)
            Assert.DoesNotContain(list.Rules.Take((int)deciding[row]), rule => rule.Holds(x[row].to(float32).Values()));
    }

    [Fact]
    public void A_rule_fit_finds_a_rule_and_a_line()
    {
        manual_seed(9);
        var x = rand([500, 4], float64);
        var y = (3 * (x.select(1, 0) > 0.6).to(float64) * (x.select(1, 1) > 0.4).to(float64)) + (2 * x.select(1, 2));
        var fit = RuleFit.Fit(x, y, new() { MaxTerms = 6 });
        var residual = (fit.Predict(x) - y).square().mean().item<double>();
        Assert.True(residual < 0.1 * y.var().item<double>(), $"{residual}\n{fit}");
        Assert.Contains(fit.Terms, term => term.Feature == 2 && term.Coefficient > 0.8);
        Assert.True(fit.Terms.Count <= 6);
        var sum = fit.Intercept + fit.Terms.Sum(term => term.Coefficient * term.Of(x[0].to(float32).Values()));
        Assert.Equal(sum, fit.Sum(x.narrow(0, 0, 1)).item<double>(), 10);
    }

    [Fact]
    public void Rules_choose_between_two_classes_only()
    {
        var (x, y) = Classic.Data("iris");
        Assert.Throws<ArgumentException>(() => RuleFit.Fit(x, y));
        var two = RuleFit.Fit(x, y.eq(1).to(int64));
        Assert.True(two.Predict(x).eq(y.eq(1).to(int64)).to(float64).mean().item<double>() > 0.93);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        var (x, y) = Classic.Data("iris");
        var tree = DecisionTree.Fit(x, y, new() { MaxDepth = 2 });
        void All()
        {
            using var inner = NewDisposeScope();
            Surrogate.FitTree(tree.PredictProbabilities, x, x);
            RuleList.Fit(x, y);
            TreeShap.Explain(tree, x);
            FeatureEffect.PartialDependence(tree.PredictProbabilities, x, 2);
            Anchors.Explain(tree.PredictProbabilities, x[0], x, new() { MaxRows = 500, FinalRows = 50 });
        }
        All();
        var before = LiveTensors.Count;
        All();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Tables_that_do_not_fit_are_refused()
    {
        static Tensor Model(Tensor x) => x.select(1, 0);
        Assert.Contains("2 features and heldOut has 3", Assert.Throws<ArgumentException>(() =>
            Surrogate.FitTree(Model, ones(4, 2), ones(4, 3))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Surrogate.FitTree(x => x.sum().unsqueeze(0), randn(4, 2), randn(4, 2)));
    }
}
