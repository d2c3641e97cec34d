using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using TorchSharp;
using static ResearchKit.Tests.Compression.Refusal;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Compression;

public sealed class HadamardRotationTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(20)]
    [InlineData(28)]
    [InlineData(36)]
    [InlineData(64)]
    [InlineData(96)]
    [InlineData(200)]
    [InlineData(768)]
    [InlineData(1600)]
    public void Rows_of_a_Hadamard_matrix_are_orthogonal(int order)
    {
        var matrix = Hadamard.Matrix(order);
        Assert.True(matrix.abs().Equals(ones(order, order)));
        Assert.True(matrix.matmul(matrix.t()).Equals(eye(order) * order));
        Assert.True(matrix.select(1, 0).Equals(ones(order)));
        Assert.True(Hadamard.Exists(order));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(30)]
    [InlineData(92)]
    public void Orders_without_a_construction_are_refused(int order)
    {
        Assert.False(Hadamard.Exists(order));
        Refuses(() => Hadamard.Matrix(order), $"order {order}");
    }

    [Fact]
    public void A_rotation_for_layer_norms_keeps_the_mean_and_spreads_channels()
    {
        var rotation = new HadamardRotation { Seed = 3 }.Matrix(96, keepsOnes: true);
        Assert.InRange((rotation.matmul(rotation.t()) - eye(96, dtype: float64)).abs().max().item<double>(), 0, 1e-12);
        Assert.InRange((rotation.sum(dim: 0) - 1).abs().max().item<double>(), 0, 1e-12);
        Assert.InRange(rotation.abs().max().item<double>(), 0, 0.5);
    }

    [Theory]
    [InlineData(Positions.Learned, true, 48)]
    [InlineData(Positions.Learned, false, 32)]
    [InlineData(Positions.Rotary, true, 32)]
    [InlineData(Positions.Alibi, true, 32)]
    public void A_rotated_gpt_computes_the_same(Positions positions, bool isTied, int width)
    {
        using var model = Trained(new Gpt(GptConfig.Nano with
        {
            VocabularySize = 20,
            ModelWidth = width,
            Heads = 2,
            Positions = positions,
            TieEmbeddings = isTied,
        }));
        using var rotated = new HadamardRotation().Fold(model);
        Same(model, rotated);
        Assert.All(rotated.named_parameters().Where(pair => pair.name.Contains("ln_1.weight", StringComparison.Ordinal)),
            pair => Assert.True(pair.parameter.Equals(ones_like(pair.parameter))));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(4, false)]
    public void A_rotated_llama_computes_the_same(int keyValueHeads, bool isTied)
    {
        using var model = Trained(new Llama(LlamaConfig.Nano with
        {
            VocabularySize = 20,
            KeyValueHeads = keyValueHeads,
            TieEmbeddings = isTied,
        }));
        using var rotated = new HadamardRotation().Fold(model);
        Same(model, rotated);
    }

    [Fact]
    public void Outliers_of_single_channels_are_spread()
    {
        using var model = Trained(new Llama(LlamaConfig.Nano with { VocabularySize = 20 }));
        using (no_grad())
            Parameter(model, "model.embed_tokens.weight").select(1, 3).mul_(30);
        using var rotated = new HadamardRotation().Fold(model);
        static double Largest(Llama model)
        {
            using var calibration = Calibration.Watch(model);
            using (no_grad()) model.forward(Tokens());
            var moments = calibration.Moments["model.layers.0.self_attn.q_proj"];
            return (moments.Largest.max() / moments.MeanMagnitudes.mean()).item<float>();
        }
        Assert.True(Largest(rotated) < 0.6 * Largest(model));
    }

    [Fact]
    public void Models_that_cannot_be_rotated_are_refused_and_stay()
    {
        using var odd = new Gpt(GptConfig.Nano with { VocabularySize = 20, ModelWidth = 30, Heads = 2 });
        Refuses(() => new HadamardRotation().Fold(odd), "30");
        using var waves = new Gpt(GptConfig.Nano with { VocabularySize = 20, Positions = Positions.Sinusoidal });
        Refuses(() => new HadamardRotation().Fold(waves), "Sinusoidal");
        using var dead = Trained(new Gpt(GptConfig.Nano with { VocabularySize = 20 }));
        using (no_grad()) Parameter(dead, "ln_f.weight").narrow(0, 0, 1).zero_();
        var before = dead.forward(Tokens());
        Refuses(() => new HadamardRotation().Fold(dead), "ln_f", "gain of zero");
        Assert.True(before.Equals(dead.forward(Tokens())));
    }

    private static void Same(nn.Module<Tensor, Tensor> model, nn.Module<Tensor, Tensor> rotated)
    {
        var before = model.forward(Tokens());
        var after = rotated.forward(Tokens());
        var apart = ((after - before).abs().max() / before.abs().max()).item<float>();
        Assert.InRange(apart, 1e-10, 1e-5);
    }

    private static T Trained<T>(T model) where T : nn.Module
    {
        Compute.Seed(3);
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters())   // gains, biases and means as after training
            parameter.add_(randn_like(parameter) * (parameter.dim() == 1 ? 0.3 : 0.1)).add_(0.02);
        model.eval();
        return model;
    }

    private static TorchSharp.Modules.Parameter Parameter(nn.Module model, string name) =>
        model.named_parameters().Single(pair => pair.name == name).parameter;

    private static Tensor Tokens() => randint(0, 20, [4, 16], generator: new Generator(1));
}
