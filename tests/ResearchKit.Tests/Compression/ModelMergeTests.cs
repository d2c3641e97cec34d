using ResearchKit.Compression;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class ModelMergeTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void An_average_weighs_the_models()
    {
        Near.Check("mean", tensor([2f, 3f]), ModelMerge.Average([Of(1, 2), Of(3, 4)])["w"], 1e-6);
        Near.Check("weighted", tensor([2.5f, 3.5f]), ModelMerge.Average([Of(1, 2), Of(3, 4)], [1, 3])["w"], 1e-6);
    }

    [Fact]
    public void Slerp_moves_along_the_arc_and_ends_at_the_models()
    {
        var (first, second) = (Of(1, 0), Of(0, 2));
        Near.Check("start", first["w"], ModelMerge.Slerp(first, second, 0)["w"], 1e-6);
        Near.Check("end", second["w"], ModelMerge.Slerp(first, second, 1)["w"], 1e-6);
        var half = (float)Math.Sqrt(0.5);
        Near.Check("middle", tensor([half, 2 * half]), ModelMerge.Slerp(first, second, 0.5)["w"], 1e-6);
        Near.Check("parallel", tensor([3f, 0f]), ModelMerge.Slerp(Of(2, 0), Of(4, 0), 0.5)["w"], 1e-6);
    }

    [Fact]
    public void Task_arithmetic_adds_what_each_model_learnt()
    {
        Near.Check("sum", tensor([4f, -1f]), ModelMerge.TaskArithmetic(Of(1, 1), [Of(2, 1), Of(3, -1)])["w"], 1e-6);
        Near.Check("unlearnt", tensor([0f, 1f]), ModelMerge.TaskArithmetic(Of(1, 1), [Of(2, 1)], scale: -1)["w"], 1e-6);
    }

    [Fact]
    public void Ties_keeps_large_changes_elects_a_sign_and_averages_those_that_agree()
    {
        // changes (5, -1, 0.1) and (1, 2, 0.1): of each the two largest are kept
        var merged = ModelMerge.Ties(Of(0, 0, 0), [Of(5, -1, 0.1f), Of(1, 2, 0.1f)], kept: 0.5);
        Near.Check("merged", tensor([3f, 2f, 0f]), merged["w"], 1e-6);
    }

    [Fact]
    public void Dare_keeps_the_mean_of_what_was_learnt_in_expectation()
    {
        var (start, model) = (State(zeros(20000)), State(ones(20000)));
        var merged = ModelMerge.Dare(start, [model], dropped: 0.75, seed: 3)["w"];
        Assert.Equal([0f, 4f], merged.unique().output.data<float>().ToArray());
        Assert.Equal(1, merged.mean().item<float>(), 0.1);
        Assert.True(merged.Equals(ModelMerge.Dare(start, [model], dropped: 0.75, seed: 3)["w"]));
        Near.Check("nothing dropped", ones(20000), ModelMerge.Dare(start, [model], dropped: 0)["w"], 1e-6);
    }

    [Fact]
    public void Types_are_kept_and_counters_are_those_of_the_first()
    {
        Dictionary<string, Tensor> With(float weight, long steps) =>
            new() { ["w"] = full([2], weight, dtype: bfloat16), ["steps"] = tensor(steps) };
        var merged = ModelMerge.Average([With(1, 5), With(2, 9)]);
        Assert.Equal(ScalarType.BFloat16, merged["w"].dtype);
        Assert.Equal(5, merged["steps"].item<long>());
    }

    [Fact]
    public void Models_of_another_kind_are_refused_by_name()
    {
        Assert.Contains("w is in one", Assert.Throws<ArgumentException>(() =>
            ModelMerge.Average([Of(1), new Dictionary<string, Tensor> { ["x"] = ones(1) }])).Message, StringComparison.Ordinal);
        Assert.Contains("[2]", Assert.Throws<ArgumentException>(() => ModelMerge.Average([Of(1), Of(1, 2)])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ModelMerge.Average([]));
        Assert.Throws<ArgumentException>(() => ModelMerge.Average([Of(1)], [1, 2]));
    }

    [Fact]
    public void Factors_of_a_low_rank_are_the_closest_product()
    {
        var weight = randn([8, 12], generator: new Generator(1));
        using var whole = LowRankFactors.Of(weight, 8);
        using var half = LowRankFactors.Of(weight, 4);
        Near.Check("whole", weight, whole.Left.matmul(whole.Right), 1e-5);
        Assert.Equal(0, whole.RelativeError, 1e-6);
        var missing = (weight - half.Left.matmul(half.Right)).norm() / weight.norm();
        Assert.Equal(missing.item<float>(), half.RelativeError, 1e-5);
        var values = linalg.svdvals(weight);
        Assert.Equal((values[4..].norm() / values.norm()).item<float>(), half.RelativeError, 1e-5);
        Assert.Throws<ArgumentException>(() => LowRankFactors.Of(weight, 9));
    }

    private static Dictionary<string, Tensor> Of(params float[] weights) => State(tensor(weights));

    private static Dictionary<string, Tensor> State(Tensor weight) => new() { ["w"] = weight };
}
