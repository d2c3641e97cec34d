using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Interpretability;

public sealed class ResidualDecompositionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_parts_of_golden_language_models_sum_to_stream_and_logit()
    {
        using var first = new GoldenCase("gpt2-a");
        using var gpt = Gpt.FromPretrained(first.Folder);
        Check(gpt, first["in.input_ids"]);
        using var second = new GoldenCase("llama-b");
        using var llama = Llama.FromPretrained(second.Folder);
        Check(llama, second["in.input_ids"]);
    }

    [Fact]
    public void The_parts_of_a_golden_decoder_sum_to_stream_and_logit()
    {
        using var golden = new GoldenCase("t5-a");
        using var model = T5.FromPretrained(golden.Folder);
        using var parts = model.Decompose(golden["in.input_ids"], model.ShiftRight(golden["in.labels"]));
        Assert.True(parts.Evidence.Holds, parts.ToString());
        Assert.Contains("layer 1 cross head 0", parts.Names);
        Assert.True(parts.LogitAttribution(5).Evidence!.Holds, parts.LogitAttribution(5).ToString());
    }

    [Fact]
    public void The_parts_of_a_golden_image_classifier_sum_to_stream_and_logit()
    {
        using var golden = new GoldenCase("vit-a");
        using var model = Vit.FromPretrained(golden.Folder);
        using var parts = model.Decompose(golden["in.pixel_values"]);
        Assert.True(parts.Evidence.Holds, parts.ToString());
        CheckLogit(parts.LogitAttribution(1, position: 0), golden["out.logits"][0, 1]);
    }

    [Fact]
    public void The_parts_of_a_post_norm_model_sum_to_the_stream_through_the_recorded_scales()
    {
        using var bert = new BertForMaskedLanguageModel(BertConfig.Nano);
        using var parts = bert.Decompose(randint(0, 60, [2, 5], int64));
        Assert.True(parts.Evidence.Holds, parts.ToString());
        Assert.Contains("no linear head", Assert.Throws<ArgumentException>(() => parts.LogitAttribution(3)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_neurons_sum_to_their_part_and_the_layers_can_be_fewer()
    {
        using var gpt = new Gpt(GptConfig.Nano);
        using var parts = gpt.Decompose(randint(0, 65, [2, 5], int64), layers: 1);
        Near.Check("neurons", parts["layer 0 MLP neurons"][1, -2], parts.Neurons(0, 1, -2).sum(dim: 0), 1e-12);
        Assert.Contains("stops before", Assert.Throws<ArgumentException>(() => parts.LogitAttribution(3)).Message,
            StringComparison.Ordinal);
        Assert.Contains("layer 0 MLP neurons",
            Assert.Throws<KeyNotFoundException>(() => parts["layer 0 MLP neuron"]).Message, StringComparison.Ordinal);
        Assert.Contains("has 2", Assert.Throws<ArgumentException>(() => gpt.Decompose(zeros([1, 1], int64), 3)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_attention_alone_without_norms_is_a_sum_too()
    {
        using var gpt = new Gpt(GptConfig.Nano with { AttentionOnly = true, Norms = false, TieEmbeddings = false });
        Assert.DoesNotContain(gpt.named_parameters(), pair => pair.name.Contains("mlp", StringComparison.Ordinal)
            || pair.name.Contains("ln_", StringComparison.Ordinal));
        using var parts = gpt.Decompose(randint(0, 65, [2, 5], int64));
        Assert.True(parts.Evidence.Holds && parts.LogitAttribution(3).Evidence!.Holds, parts.ToString());
    }

    [Fact]
    public void Models_that_are_not_transformers_and_activations_that_are_not_numbers_are_refused()
    {
        using var mine = nn.Sequential(nn.Linear(3, 4));
        Assert.Contains("Recording and editing work on any model",
            Assert.Throws<ArgumentException>(() => mine.Decompose(ones(1, 3))).Message, StringComparison.Ordinal);
        using var gpt = new Gpt(GptConfig.Nano);
        using (no_grad()) gpt.get_parameter("h.1.mlp.c_proj.bias")!.fill_(double.NaN);
        Assert.Contains("'h.1.hook_resid_post' holds NaN",
            Assert.Throws<ArgumentException>(() => gpt.Decompose(zeros([1, 2], int64))).Message, StringComparison.Ordinal);
    }

    private static void Check(nn.Module<Tensor, Tensor> model, Tensor tokens)
    {
        model.eval();
        using var parts = model.Decompose(tokens);
        Assert.True(parts.Evidence.Holds, parts.ToString());
        var logits = model.call(tokens);
        CheckLogit(parts.LogitAttribution(3, example: 1), logits[1, -1, 3]);
        CheckLogit(parts.LogitAttribution(3, less: 4, position: 0), logits[0, 0, 3] - logits[0, 0, 4]);
    }

    private static void CheckLogit(ResearchKit.Results.Grid attribution, Tensor logit)
    {
        Assert.True(attribution.Evidence!.Holds, attribution.ToString());
        Assert.Equal(logit.to(float64).item<double>(), attribution.Values.Cast<double>().Sum(), 1e-4);
    }
}
