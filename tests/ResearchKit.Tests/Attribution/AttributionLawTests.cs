using ResearchKit.Attribution;
using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Attribution;

/// <summary>The axioms that attribution methods have, and those that they do not have.</summary>
public sealed class AttributionLawTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public AttributionLawTests() => ResearchKit.Native.Compute.Seed(7);

    public static TheoryData<string> Complete => ["integrated gradients", "DeepLift", "Shapley values", "kernel SHAP",
        "Shapley values by permutations", "Owen values of a binary partition"];

    public void Dispose() => scope.Dispose();

    private static AttributionMethod Named(string name, Tensor? baseline = null) => new AttributionMethod[]
    {
        new IntegratedGradients { Baseline = baseline, Steps = 100 }, new DeepLift { Baseline = baseline },
        new ShapleyValues { Baseline = baseline },
        new ShapleyValues { Baseline = baseline, Algorithm = ShapleyAlgorithm.Kernel },
        new ShapleyValues { Baseline = baseline, Algorithm = ShapleyAlgorithm.Permutation, Samples = 40 },
        new ShapleyValues { Baseline = baseline, Algorithm = ShapleyAlgorithm.Partition },
        new Saliency { Absolute = false }, new Saliency { TimesInput = true }, new FeatureAblation { Baseline = baseline },
    }.Single(method => method.Name == name
        || (name == "signed saliency" && method is Saliency { Absolute: false, TimesInput: false }));

    internal static TorchSharp.Modules.Sequential Network() =>
        Sequential(("0", Linear(5, 12)), ("1", Tanh()), ("2", Linear(12, 12)), ("3", Sigmoid()), ("4", Linear(12, 3)));

    private static Target Sum(Func<Tensor, Tensor> function) => Target.From("the output", "", function);

    /// <summary>A function of the input itself, as the logits of a model.</summary>
    private static AttributionMap Explain(AttributionMethod method, Func<Tensor, Tensor> function, Tensor input) =>
        method.Attribute(x => x * 1, input, Sum(function));

    [Theory]
    [MemberData(nameof(Complete))]
    public void Attributions_sum_to_the_score_less_that_of_the_baseline(string name)
    {
        var (model, input, baseline) = (Network(), randn(4, 5), randn(1, 5));
        var map = Named(name, baseline).Attribute(model, input, Target.Logit([0, 1, 2, 0], null));
        Assert.Equal(4, map.Gaps.Count);
        Assert.All(map.Gaps, gap => Assert.InRange(Math.Abs(gap), 0, 1e-4));
        Assert.True(map.Evidence.Holds, map.Evidence.ToString());
        Assert.Contains("sum to the score", map.Evidence.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Saliency_and_ablation_are_not_complete_and_do_not_claim_it()
    {
        var (model, input) = (Network(), randn(4, 5));
        foreach (var method in new AttributionMethod[]
        {
            new Saliency(), new FeatureAblation(), new Occlusion { Window = [2] }, new SmoothGrad(), new LocalSurrogate(),
        })
        {
            var map = method.Attribute(model, input, Target.Logit(0));
            Assert.Empty(map.Gaps);
            Assert.Null(map.Evidence.Law);
            Assert.NotEqual(model.call(input)[.., 0].sum().item<float>(), map.Values.sum().item<float>(), 1e-2);
        }
    }

    [Theory]
    [MemberData(nameof(Complete))]
    public void A_feature_without_effect_gets_nothing_and_equal_features_get_the_same(string name)
    {
        using var inner = NewDisposeScope();
        var input = tensor(new[] { 1f, 1, 2, -1 }).view(1, 4);
        // the first two act alike, the last not at all
        var map = Explain(Named(name), x => (x[.., 0] * x[.., 1]) + ((x[.., 0] + x[.., 1]) * x[.., 2]).tanh(), input);
        var values = map.Values.data<float>().ToArray();
        Assert.Equal(0, values[3], 5);
        if (name.StartsWith("Owen", StringComparison.Ordinal)) return;   // the tree sets the two apart
        var sampled = name.EndsWith("permutations", StringComparison.Ordinal);   // equal in expectation
        Assert.Equal(values[0], values[1], sampled ? 0.1 : 1e-4);
    }

    [Theory]
    [InlineData("integrated gradients")]
    [InlineData("Shapley values")]
    [InlineData("kernel SHAP")]
    [InlineData("signed saliency")]
    [InlineData("feature ablation")]
    public void Attributions_of_a_sum_are_the_sum_of_attributions(string name)
    {
        var input = randn(2, 4);
        Tensor First(Tensor x) => (x[.., 0] * x[.., 1]).sin();
        Tensor Second(Tensor x) => x.square().sum(dim: 1).exp().log1p();
        var method = Named(name);
        var both = Explain(method, x => (2 * First(x)) - Second(x), input).Values;
        var apart = (2 * Explain(method, First, input).Values) - Explain(method, Second, input).Values;
        Assert.True(both.allclose(apart, 1e-4, 1e-5));
    }

    [Fact]
    public void DeepLift_alone_depends_on_how_a_function_is_written()
    {
        using var inner = NewDisposeScope();
        var (one, other) = (new TwoForms(late: false), new TwoForms(late: true));
        var input = tensor(new[] { 3f, 1f }).view(1, 2);
        bool Agree(AttributionMethod method) => method.Attribute(one, input, Target.Logit(0)).Values
            .allclose(method.Attribute(other, input, Target.Logit(0)).Values, 1e-3, 1e-3);
        Assert.Equal(one.call(input), other.call(input));
        Assert.True(Agree(new IntegratedGradients { Steps = 2000, Quadrature = Quadrature.RiemannMiddle }));
        Assert.True(Agree(new ShapleyValues()));
        Assert.True(Agree(new Saliency()));
        Assert.False(Agree(new DeepLift()));
    }

    [Theory]
    [InlineData(ShapleyAlgorithm.Exact)]
    [InlineData(ShapleyAlgorithm.Kernel)]
    [InlineData(ShapleyAlgorithm.Permutation)]
    public void The_glove_game_gives_two_thirds_to_the_only_right_glove(ShapleyAlgorithm algorithm)
    {
        var method = new ShapleyValues
        {
            Algorithm = algorithm,
            Samples = algorithm == ShapleyAlgorithm.Permutation ? 2_000 : 512
        };
        // Two left gloves and one right one: a pair is worth 1.
        var values = Explain(method, x => x[.., 0].minimum((x[.., 1] + x[.., 2]).clamp_max(1)), ones(1, 3)).Values.data<float>()
            .ToArray();
        var within = algorithm == ShapleyAlgorithm.Permutation ? 0.03 : 1e-6;
        Assert.Equal(2.0 / 3, values[0], within);
        Assert.Equal(1.0 / 6, values[1], within);
        Assert.Equal(1.0 / 6, values[2], within);
    }

    [Fact]
    public void Kernel_SHAP_of_all_coalitions_is_exact()
    {
        var (model, input) = (Network().to(float64), randn(3, 5, float64));
        var exact = new ShapleyValues().Attribute(model, input, Target.Logit(1)).Values;
        var kernel = new ShapleyValues { Algorithm = ShapleyAlgorithm.Kernel }.Attribute(model, input, Target.Logit(1)).Values;
        Assert.True(exact.allclose(kernel, 1e-10, 1e-12));
    }

    [Fact]
    public void Sampled_kernel_SHAP_approaches_the_exact_values()
    {
        var (model, input) = (Network().to(float64), randn(1, 5, float64));
        var exact = new ShapleyValues().Attribute(model, input, Target.Logit(1)).Values;
        double Off(int samples) => (new ShapleyValues { Algorithm = ShapleyAlgorithm.Kernel, Samples = samples }
            .Attribute(model, input, Target.Logit(1)).Values - exact).abs().max().item<double>();
        Assert.InRange(Off(24), 0, 0.2 * exact.abs().max().item<double>() + 1e-3);
        Assert.InRange(Off(30), 0, 1e-9);   // all coalitions but the empty and the full one
    }

    [Theory]
    [InlineData(Quadrature.GaussLegendre)]
    [InlineData(Quadrature.RiemannMiddle)]
    public void A_quadratic_function_is_exact_with_any_number_of_steps(Quadrature rule)
    {
        var (matrix, input, baseline) = (randn(4, 4, float64), randn(2, 4, float64), randn(2, 4, float64));
        Tensor Quadratic(Tensor x) => (x.matmul(matrix) * x).sum(dim: 1);
        var expected = (input - baseline) * ((input + baseline) / 2).matmul(matrix + matrix.t());
        foreach (var steps in new[] { 1, 2, 5 })
            Assert.True(Explain(new IntegratedGradients { Baseline = baseline, Quadrature = rule, Steps = steps }, Quadratic,
                input)
                .Values.allclose(expected, 1e-10, 1e-12));
    }

    [Fact]
    public void A_polynomial_of_degree_19_needs_ten_Gauss_Legendre_points()
    {
        var input = tensor(new[] { 1.3 }, float64).view(1, 1);
        double Gap(int steps) =>
            Math.Abs(Explain(new IntegratedGradients { Steps = steps }, x => x[.., 0].pow(20), input).Gaps[0]);
        Assert.InRange(Gap(10), 0, 1e-9);
        Assert.True(Gap(8) > 1e-6);
    }

    [Fact]
    public void HiResCAM_sums_to_the_logit_less_the_bias_and_Grad_CAM_is_its_mean_there()
    {
        var model = Sequential(("conv", Conv2d(3, 6, 3, padding: 1)), ("relu", ReLU()), ("pool", AdaptiveAvgPool2d(1)),
            ("flat", Flatten()), ("head", Linear(6, 4)));
        var (input, target) = (randn(2, 3, 8, 8), Target.Logit([1, 3], null));
        var map = new ClassActivationMap { At = "relu", Weights = ActivationWeights.HiResCam, Relu = false };
        var bias = model.get_parameter("head.bias");
        var sums = map.Attribute(model, input, target).Values.flatten(1).sum(dim: 1);
        var logits = target.Of(model.call(input)) - bias!.index_select(0, tensor(new long[] { 1, 3 }));
        Assert.True(sums.allclose(logits, 1e-4, 1e-5));
        var mean = map with { Weights = ActivationWeights.GradCam };
        Assert.True(mean.Attribute(model, input, target).Values.allclose(map.Attribute(model, input, target).Values, 1e-4, 1e-6));
    }

    [Fact]
    public void On_a_linear_model_gradients_have_no_infidelity_and_integrated_gradients_correlate_perfectly()
    {
        var (model, input, baseline) = (Linear(6, 3), randn(4, 6), randn(1, 6));
        var target = Target.Logit([0, 1, 2, 1], null);
        var gradient = new Saliency { Absolute = false }.Attribute(model, input, target).Values;
        Assert.All(Infidelity.Of(model, input, target, gradient, randn(4, 30, 6)), value => Assert.InRange(value, 0, 1e-9));
        var integrated = new IntegratedGradients { Baseline = baseline, Steps = 1 }.Attribute(model, input, target).Values;
        Assert.All(Faithfulness.Correlation(model, input, target, integrated, new() { Baseline = baseline }),
            value => Assert.Equal(1, value, 4));
        var random = new RandomAttribution().Attribute(model, input, target).Values;
        Assert.True(Faithfulness.Correlation(model, input, target, random, new() { Baseline = baseline }).Average() < 0.9);
    }

    [Fact]
    public void The_exact_order_deletes_faster_than_any_random_one()
    {
        var (model, input) = (Linear(8, 2), rand(3, 8));
        var target = Target.Logit(1);
        var exact = new ShapleyValues().Attribute(model, input, target).Values;
        var options = new PerturbationOptions { Steps = 8 };
        var best = PerturbationCurve.Deletion(model, input, target, exact, options);
        Assert.Equal(9, best.Shares.Count);
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new RandomAttribution { Seed = seed }.Attribute(model, input, target).Values;
            var curve = PerturbationCurve.Deletion(model, input, target, random, options);
            for (var example = 0; example < 3; example++) Assert.True(best.Areas[example] <= curve.Areas[example] + 1e-6);
            Assert.True(PerturbationCurve.Insertion(model, input, target, exact, options).Areas.Average()
                >= PerturbationCurve.Insertion(model, input, target, random, options).Areas.Average() - 1e-6);
        }
    }

    [Fact]
    public void Random_weights_change_gradients_and_the_model_is_restored()
    {
        var (model, input) = (Network(), randn(6, 5));
        var before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        var grid = RandomizationCheck.Of(model, input, Target.Logit(0), [new IntegratedGradients(), new RandomAttribution()]);
        Assert.Equal((2, 3), (grid.Rows.Count, grid.Columns.Count));
        Assert.True(Math.Abs(grid.Values[0, 2]) < 0.8);
        Assert.Equal(1, grid.Values[1, 2], 6);   // what knows nothing of the model does not change with it
        Assert.All(model.state_dict(), pair => Assert.True(pair.Value.Equals(before[pair.Key])));
    }

    /// <summary>One function in two forms, from Sundararajan, Taly and Yan, 2017, figure 7.</summary>
    private sealed class TwoForms : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> first = ReLU(), second = ReLU(), last = ReLU();
        private readonly bool late;

        public TwoForms(bool late) : base(nameof(TwoForms))
        {
            this.late = late;
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)
        {
            var (a, b) = (x[.., 0], x[.., 1]);
            var value = last.call((late ? first.call(a) - 1 : first.call(a - 1)) - second.call(b));
            return stack([value, -value], 1);
        }
    }
}
