using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tests.Golden;
using ResearchKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

public sealed class BertTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void The_encoder_and_the_pooler_equal_the_reference()
    {
        using var golden = new GoldenCase("bert-model-a");
        using var model = Bert.FromPretrained(golden.Folder);
        using var cache = ActivationCache.Record(model);
        var features = model.Features(golden["in.input_ids"], golden["in.attention_mask"], golden["in.token_type_ids"]);
        var pooled = model.Pool(features);
        golden.Check("out.last_hidden_state", features);
        golden.Check("out.pooler_output", pooled);
        CheckInside(golden, cache, 3, "");
        golden.CheckLoss(model, features.square().mean() + pooled.mean());
    }

    [Fact]
    public void Masked_language_modelling_equals_the_reference()
    {
        using var golden = new GoldenCase("bert-mlm-a");
        using var model = BertForMaskedLanguageModel.FromPretrained(golden.Folder);
        using var cache = ActivationCache.Record(model);
        var logits = model.Logits(golden["in.input_ids"], golden["in.attention_mask"], golden["in.token_type_ids"]);
        golden.Check("out.logits", logits);
        CheckInside(golden, cache, 2, "bert.");
        golden.CheckLoss(model, Losses.CrossEntropy(logits, golden["in.labels"]));
    }

    [Fact]
    public void Sequence_classification_equals_the_reference()
    {
        using var golden = new GoldenCase("bert-cls-a");
        using var model = BertForSequenceClassification.FromPretrained(golden.Folder);
        using var cache = ActivationCache.Record(model);
        var logits = model.call(golden["in.input_ids"]);
        golden.Check("out.logits", logits);
        CheckInside(golden, cache, 2, "bert.");
        golden.CheckLoss(model, Losses.Labels(logits, golden["in.labels"]));
    }

    [Fact]
    public void Padding_does_not_change_the_outputs_of_real_tokens()
    {
        using var model = new BertForTokenClassification(BertConfig.Nano with { Labels = 5 });
        var tokens = randint(0, 65, [2, 9], int64);
        var padded = cat([tokens, randint(0, 65, [2, 3], int64)], 1);
        var mask = cat([ones([2, 9], int64), zeros([2, 3], int64)], 1);
        Near.Check("tokens", model.call(tokens), model.Logits(padded, mask)[.., ..9], 1e-5);
        Assert.Equal([2, 9, 5], model.call(tokens).shape);
    }

    [Fact]
    public void The_output_depends_on_later_tokens_and_on_token_types()
    {
        using var model = new Bert(BertConfig.Nano);
        var tokens = randint(1, 65, [1, 6], int64);
        var edited = tokens.clone();
        edited[0, 5] = tensor(0L);
        Assert.True((model.call(tokens)[0, 0] - model.call(edited)[0, 0]).abs().max().item<float>() > 1e-4);
        Near.Check("type 0", model.call(tokens), model.Features(tokens, null, zeros_like(tokens)), 0);
        Assert.True((model.call(tokens) - model.Features(tokens, null, ones_like(tokens))).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void An_untied_head_adds_only_a_decoder_weight()
    {
        using var tied = new BertForMaskedLanguageModel(BertConfig.Nano);
        using var untied = new BertForMaskedLanguageModel(BertConfig.Nano with { TieEmbeddings = false });
        Assert.Equal(["cls.predictions.decoder.weight"], untied.state_dict().Keys.Except(tied.state_dict().Keys));
        var weights = new Dictionary<string, Tensor>(tied.state_dict())
        {
            ["cls.predictions.decoder.weight"] =
            tied.state_dict()["bert.embeddings.word_embeddings.weight"]
        };
        ResearchKit.Checkpoints.StateDict.Load(untied, weights, "the tied one");
        var tokens = randint(0, 65, [2, 9], int64);
        Near.Check("logits", tied.call(tokens), untied.call(tokens), 1e-6);
    }

    [Fact]
    public void It_learns_to_fill_in_masked_tokens()
    {
        using var model = new BertForMaskedLanguageModel(BertConfig.Nano with { Layers = 1 });
        using var optimizer = optim.Adam(model.parameters(), 3e-3);
        var labels = arange(1, 9, 1, int64).repeat(4, 1);                 // 1 2 3 … 8
        var tokens = labels.clone();
        for (var row = 0; row < 4; row++) tokens[row, 2 * row] = tensor(64L);   // the mask token
        double first = 0, last = 0;
        for (var step = 0; step < 40; step++)
        {
            optimizer.zero_grad();
            var loss = Losses.CrossEntropy(model.call(tokens), labels);
            loss.backward();
            optimizer.step();
            last = loss.item<float>();
            if (step == 0) first = last;
        }
        Assert.True(last < first / 4, $"The loss fell from {first:g3} to {last:g3} only.");
    }

    [Fact]
    public void A_forward_pass_leaks_no_tensor()
    {
        using var model = new BertForSequenceClassification(BertConfig.Nano);
        using var tokens = randint(0, 65, [2, 10], int64);
        using var mask = ones_like(tokens);
        using var pattern = ActivationCache.Record(model, name =>
            name.EndsWith("layer.0.attention.self.hook_pattern", StringComparison.Ordinal));
        model.Logits(tokens, mask).Dispose();
        var before = LiveTensors.Count;
        model.Logits(tokens, mask).Dispose();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Invalid_inputs_and_configurations_are_refused_with_the_reason()
    {
        using var model = new Bert(BertConfig.Nano, withPooler: false);
        Assert.Contains("Got 40 tokens; the context length is 32.", Refused(() => model.call(zeros([1, 40], int64))),
            StringComparison.Ordinal);
        Assert.Contains("[1, 3]", Refused(() => model.Features(zeros([1, 4], int64), null, zeros([1, 3], int64))),
            StringComparison.Ordinal);
        Assert.Contains("ModelWidth 30", Refused(() => new Bert(BertConfig.Nano with { ModelWidth = 30 })),
            StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => model.Pool(randn(1, 2, 32)));
    }

    private static void CheckInside(GoldenCase golden, ActivationCache cache, int layers, string prefix)
    {
        golden.CheckEach("out.hidden_states",
            [cache[$"{prefix}encoder.layer.0.hook_resid_pre"],
                .. cache.Each(layers, layer => $"{prefix}encoder.layer.{layer}.hook_resid_post")]);
        golden.CheckEach("out.attentions",
            cache.Each(layers, layer => $"{prefix}encoder.layer.{layer}.attention.self.hook_pattern"));
    }

    private static string Refused(Action action) => Assert.Throws<ArgumentException>(action).Message;
}
