using ResearchKit.Compression;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class DistillationLossTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [MemberData(nameof(CompressionGolden.Seeds), MemberType = typeof(CompressionGolden))]
    public void Losses_and_gradients_equal_the_reference(int seed)
    {
        using var golden = new CompressionGolden("distillation", seed);
        var values = golden.Settings.GetProperty("values");
        void Equal(string name, Tensor loss) =>
            Assert.Equal(values.GetProperty(name).GetDouble(), loss.item<float>(),
                2e-5 * Math.Max(1, values.GetProperty(name).GetDouble()));
        var (student, teacher) = (golden["student_logits"], golden["teacher_logits"]);
        foreach (var temperature in new[] { 1, 2, 4, 10 })
        {
            var own = student.detach().clone().requires_grad_();
            var loss = DistillationLosses.SoftTargets(own, teacher, temperature);
            loss.backward();
            Equal($"kl_T{temperature}", loss);
            Near.Check("gradient", golden[$"kl_T{temperature}/grad_student"], own.grad!, 1e-5);
            Equal($"reverse_kl_T{temperature}", DistillationLosses.ReverseSoftTargets(student, teacher, temperature));
            Equal($"hinton_T{temperature}_alpha0.7",
                DistillationLosses.WithLabels(student, teacher, golden["labels"], temperature, 0.7));
        }
        var (hidden, target, mask) = (golden["student_hidden"], golden["teacher_hidden"], golden["attention_mask"]);
        Equal("distilbert_cosine", DistillationLosses.Cosine(hidden, target, mask));
        Equal("mse_hidden", DistillationLosses.MeanSquares(hidden, target));
        Equal("mse_hidden_masked", DistillationLosses.MeanSquares(hidden, target, mask));
        Equal("mse_hidden_projected",
            DistillationLosses.MeanSquares(hidden.matmul(golden["projection"].t()), golden["teacher_hidden_wide"]));
        Equal("mse_logits", DistillationLosses.MeanSquares(student, teacher));
        Equal("attention_transfer", DistillationLosses.AttentionTransfer(hidden, target));
        var (from, to) = (golden["student_attention"], golden["teacher_attention"]);
        Equal("mse_attention", DistillationLosses.MeanSquares(from, to));
        Equal("kl_attention", DistillationLosses.AttentionDivergence(from, to));
    }

    [Fact]
    public void The_divergence_is_not_negative_and_zero_for_equal_logits()
    {
        foreach (var seed in Enumerable.Range(1, 20))
        {
            using var generator = new Generator((ulong)seed);
            var (a, b) = (randn([4, 6], generator: generator) * seed, randn([4, 6], generator: generator));
            Assert.True(DistillationLosses.SoftTargets(a, b).item<float>() >= -1e-6);
            Assert.Equal(0, DistillationLosses.SoftTargets(a, a).item<float>(), 1e-6);
        }
    }

    [Fact]
    public void No_gradient_reaches_the_teacher()
    {
        var (student, teacher) = (randn([2, 3], requires_grad: true), randn([2, 3], requires_grad: true));
        DistillationLosses.SoftTargets(student, teacher, 2).backward();
        Assert.NotNull(student.grad);
        Assert.Null(teacher.grad);
    }

    [Fact]
    public void Shapes_that_differ_are_refused()
    {
        var message = Assert.Throws<ArgumentException>(() => DistillationLosses.SoftTargets(randn(2, 3), randn(2, 4))).Message;
        Assert.Contains("[2, 3]", message, StringComparison.Ordinal);
        Assert.Contains("[2, 4]", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => DistillationLosses.SoftTargets(randn(2, 3), randn(2, 3), temperature: 0));
    }
}
