using System.Text.Json;
using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class SimilarityTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public static TheoryData<string, string, string> Cases() => new()
    {
        { "activations_31", "X", "Y" }, { "activations_31", "X", "XQ" }, { "activations_31", "X", "X" },
        { "activations_32", "X", "Y" }, { "activations_32", "X", "XQ" }, { "activations_32", "X", "X" },
    };

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void CKA_CCA_and_Procrustes_have_the_numbers_of_the_reference(string file, string first, string second)
    {
        var tensors = Read(file);
        var (x, y) = (tensors[first], tensors[second]);
        var golden = JsonDocument.Parse(File.ReadAllText(PathTo("similarity.json"))).RootElement.GetProperty("cases")
            .GetProperty(file)
            .GetProperty($"{first}_{second}");
        double Golden(string name) => golden.GetProperty(name).GetDouble();
        void Check(string name, double actual, double tolerance = 1e-5) =>
            Assert.True(Math.Abs(actual - Golden(name)) <= tolerance,
            $"{name}: {actual} instead of {Golden(name)}");
        Check("linear_cka", Cka.Linear(x, y));
        Check("linear_cka_debiased_kornblith", Cka.Linear(x, y, HsicEstimator.Unbiased));
        Check("linear_cka_unbiased_hsic", Cka.Linear(x, y, HsicEstimator.Unbiased));
        Check("rbf_cka_median", Cka.Rbf(x, y));
        var cca = Cca.Correlations(x, y);
        Check("cca_mean", cca.Mean);
        Check("pwcca", cca.Pwcca);
        foreach (var (expected, actual) in golden.GetProperty("cca_coefficients").EnumerateArray().Zip(cca.Coefficients))
            Assert.Equal(expected.GetDouble(), actual, 1e-5);
        var svcca = Cca.Svcca(x, y);
        Check("svcca_mean", svcca.Mean);
        Assert.Equal(golden.GetProperty("svcca_kept").EnumerateArray().Select(kept => kept.GetInt32()),
            [svcca.XFeatures, svcca.YFeatures]);
        Check("procrustes_squared", Cca.Procrustes(x, y, normalized: false), 0.02);   // the numbers are 25,000 times larger
        Check("procrustes_squared_normalised", Cca.Procrustes(x, y));
    }

    [Fact]
    public void Unbiased_CKA_of_unrelated_activations_is_near_zero_where_the_biased_one_is_not()
    {
        manual_seed(1);
        var (x, y) = (randn(40, 30), randn(40, 30));
        Assert.InRange(Cka.Linear(x, y), 0.3, 0.6);
        Assert.InRange(Cka.Linear(x, y, HsicEstimator.Unbiased), -0.12, 0.12);
        Assert.InRange(Cka.Rbf(x, y, estimator: HsicEstimator.Unbiased), -0.12, 0.12);
    }

    [Fact]
    public void The_layers_of_a_model_are_compared_in_a_grid_with_ones_on_the_diagonal()
    {
        using var model = new Gpt(GptConfig.Nano);
        using var other = new Gpt(GptConfig.Nano);
        var tokens = randint(0, 65, [3, 12], int64);
        var live = LiveTensors.Count;
        var grid = Similarity.OfLayers(model, model, tokens);
        Assert.Equal(["h.0.hook_resid_post", "h.1.hook_resid_post"], grid.Rows);
        Assert.Equal(1, grid.Values[0, 0], 1e-9);
        Assert.Equal(grid.Values[0, 1], grid.Values[1, 0], 1e-12);
        Assert.InRange(Similarity.OfLayers(model, other, tokens, name => name == "h.1.hook_resid_post").Values[0, 0], 0, 0.999);
        Assert.Equal(live, LiveTensors.Count);
    }

    [Fact]
    public void Sets_that_do_not_fit_are_refused()
    {
        Assert.Contains("[3, 2] and [4, 2]", Assert.Throws<ArgumentException>(() => Cka.Linear(zeros(3, 2), zeros(4, 2))).Message,
            StringComparison.Ordinal);
        Assert.Contains("NaN", Assert.Throws<ArgumentException>(() => Cka.Linear(zeros(5, 2), full([5, 2], double.NaN))).Message,
            StringComparison.Ordinal);
        Assert.Contains("more samples than features", Assert.Throws<ArgumentException>(() =>
            Cca.Correlations(randn(5, 9), randn(5, 2))).Message, StringComparison.Ordinal);
        Assert.True(double.IsNaN(Cka.Linear(ones(5, 2), randn(5, 2))));
    }

    [Theory]
    [InlineData("attention_rollout_31", "full")]
    [InlineData("attention_rollout_31", "causal")]
    [InlineData("attention_rollout_32", "full")]
    [InlineData("attention_rollout_32", "causal")]
    public void Rollout_has_the_numbers_of_the_reference(string file, string kind)
    {
        var tensors = Read(file);
        var attention = tensors[$"{kind}/attention"];
        Near.Check("residual, mean", tensors[$"{kind}/rollout_residual_mean"], AttentionRollout.Of(attention), 2e-6);
        Near.Check("mean", tensors[$"{kind}/rollout_no_residual_mean"], AttentionRollout.Of(attention, residual: false), 2e-6);
        Near.Check("residual, max", tensors[$"{kind}/rollout_residual_max"],
            AttentionRollout.Of(attention, fusion: HeadFusion.Max), 2e-6);
    }

    [Fact]
    public void Rollout_of_a_model_is_a_distribution_over_the_input_at_each_layer()
    {
        using var model = new Gpt(GptConfig.Nano);
        var maps = model.Attention(randint(0, 65, [1, 6], int64), ["a", "b", "c", "d", "e", "f"]);
        var rolled = maps.Rollout();
        Assert.Equal([0, 1], rolled.Patterns.Select(pattern => pattern.Layer));
        for (var query = 0; query < 6; query++)
            Assert.Equal(1, Enumerable.Range(0, 6).Sum(key => rolled.Patterns[1].Weights[query, key]), 1e-5);
        Assert.Equal(0, rolled.Patterns[1].Weights[1, 2]);
        Assert.Throws<ArgumentException>(() => new AttentionMaps([]).Rollout());
    }

    [Fact]
    public void Principal_components_have_the_numbers_of_the_reference()
    {
        var golden = Read("pca_iris");
        using var pca = Pca.Fit(golden["input"], 4);
        Near.Check("mean", golden["mean"], pca.Mean, 1e-8);
        Near.Check("components", golden["components"], pca.Components, 1e-8);
        Near.Check("variance", golden["explained_variance"], tensor(pca.ExplainedVariance.ToArray()), 1e-8);
        Near.Check("ratio", golden["explained_variance_ratio"], tensor(pca.ExplainedVarianceRatio.ToArray()), 1e-8);
        Near.Check("singular values", golden["singular_values"], tensor(pca.SingularValues.ToArray()), 1e-7);
        Near.Check("scores", golden["transformed"], pca.Transform(golden["input"]), 1e-7);
        Near.Check("whitened", golden["whitened"], pca.Transform(golden["input"], whiten: true), 1e-7);
        var map = Pca.Map(golden["input"], [.. Enumerable.Range(0, 150).Select(item => $"{item}")]);
        Assert.Equal(golden["transformed"][7, 1].item<double>(), map.Points[7, 1], 1e-7);
        Assert.Equal("component 1 (92.5 %)", map.XAxis);
    }

    private Dictionary<string, Tensor> Read(string file)
    {
        var tensors = SafetensorsFile.Read(PathTo($"{file}.safetensors"));
        foreach (var one in tensors.Values) scope.Attach(one);
        return tensors;
    }

    private static string PathTo(string file) => Repository.PathTo("tests", "ResearchKit.Tests", "Golden", "similarity", file);
}
