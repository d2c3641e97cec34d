using ResearchKit.Attribution;
using ResearchKit.Interpretability;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Tests.Attribution;

/// <summary>What cannot be explained is refused in one sentence, and the model is as it was.</summary>
public sealed class AttributionRefusalTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Module<Tensor, Tensor> model = Sequential(("first", Linear(4, 8)), ("relu", ReLU()), ("last", Linear(8, 3)));

    public void Dispose() => scope.Dispose();

    private string Refused(AttributionMethod method, Tensor? input = null, Target? target = null,
        Module<Tensor, Tensor>? other = null)
    {
        var asked = other ?? model;
        asked.train();
        var message = Assert.ThrowsAny<ArgumentException>(() =>
            method.Attribute(asked, input ?? randn(2, 4), target ?? Target.Logit(0))).Message;
        Assert.True(asked.training);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    [Fact]
    public void Baselines_targets_and_layers_that_do_not_fit_are_named()
    {
        Assert.Contains("[1, 5]", Refused(new IntegratedGradients { Baseline = zeros(1, 5) }), StringComparison.Ordinal);
        Assert.Contains("not finite", Refused(new FeatureAblation { Baseline = full(4, double.NaN) }), StringComparison.Ordinal);
        Assert.Contains("token 3", Refused(new Saliency(), target: Target.Logit(3)), StringComparison.Ordinal);
        Assert.Contains("first", Refused(new Saliency { At = "frist" }), StringComparison.Ordinal);
        Assert.Contains("Int64", Refused(new Saliency(), ones(2, 4, int64), other: new Reading()), StringComparison.Ordinal);
        Assert.Contains("not finite", Refused(new Saliency(), tensor(new[] { 1f, float.NaN, 0, 0 }).view(1, 4)),
            StringComparison.Ordinal);
        Assert.Contains("groups", Refused(new FeatureAblation { Groups = zeros(3, int64) }), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("window", Refused(new Occlusion { Window = [2, 2] }), StringComparison.Ordinal);
        Assert.Contains("stride", Refused(new Occlusion { Window = [2], Stride = [3] }), StringComparison.Ordinal);
        Assert.Contains("layer", Refused(new IntegratedGradients { Form = IntegratedForm.Conductance }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_a_million_coalitions_are_refused_before_any_work() =>
        Assert.Contains("1,048,576", Refused(new ShapleyValues(), randn(1, 30), other: Linear(30, 2)), StringComparison.Ordinal);

    [Fact]
    public void A_model_that_mixes_the_examples_of_a_batch_is_refused() =>
        Assert.Contains("mixes", Refused(new ShapleyValues(), randn(3, 4), other: new Mixing()), StringComparison.Ordinal);

    [Fact]
    public void A_model_without_ReLU_modules_has_no_guided_gradients() =>
        Assert.Contains("ReLU", Refused(new GuidedBackprop(), randn(1, 4), other: Linear(4, 2)), StringComparison.Ordinal);

    [Fact]
    public void Work_stops_when_it_is_cancelled_and_no_tensor_or_hook_is_left()
    {
        var before = LiveTensors.Count;
        using (var stop = new CancellationTokenSource())
        {
            var method = new IntegratedGradients { Steps = 1000, BatchSize = 2, At = "relu" };
            using var input = randn(2, 4);
            Assert.Throws<OperationCanceledException>(() => method.Attribute(model, input, Target.Logit(0),
                new Stopping(stop), stop.Token));
            using var map = method.Attribute(model, input, Target.Logit(0)).Values;
            Assert.True(map.isfinite().all().item<bool>());
        }
        GC.Collect();
        Assert.InRange(LiveTensors.Count, 0, before + 2);
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<double>
    {
        public void Report(double value)
        {
            if (value > 0.1) stop.Cancel();
        }
    }

    private sealed class Mixing() : Module<Tensor, Tensor>(nameof(Mixing))
    {
        public override Tensor forward(Tensor x) => x - x.mean([0], keepdim: true);
    }

    private sealed class Reading : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> emb = Embedding(5, 3);

        public Reading() : base(nameof(Reading)) => RegisterComponents();

        public override Tensor forward(Tensor x) => emb.call(x).mean([1]);
    }
}
