using ResearchKit.Attribution;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Attribution;

public sealed class TransformerAttributionTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Gpt model;
    private readonly Tensor tokens = tensor(new long[] { 3, 1, 4, 1, 5, 9 }).view(1, 6);

    public TransformerAttributionTests()
    {
        ResearchKit.Native.Compute.Seed(5);
        model = new Gpt(new GptConfig { VocabularySize = 11, ContextLength = 8, ModelWidth = 16, Heads = 2, Layers = 2 });
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters()) parameter.mul_(4);   // so that attention is far from uniform
    }

    public void Dispose()
    {
        model.Dispose();
        scope.Dispose();
    }

    [Fact]
    public void Integrated_gradients_at_the_embedding_of_a_GPT_are_complete()
    {
        var method = new IntegratedGradients { At = "wte", Steps = 200 };
        var map = method.Attribute(model, tokens, Target.Difference(2, 7));
        Assert.Equal([1L, 6, 16], map.Values.shape);
        Assert.True(map.Evidence.Holds, map.ToString());
        var scores = map.ToTokenScores([["a", "b", "c", "d", "e", "f"]]);
        Assert.Equal(map.Values[0, 2].sum().item<float>(), scores.Texts[0].Scores[2, 0], 4);
        var words = AttributionMap.MergeWords(scores.Texts[0], [-1, 0, 0, 1, 2, 2]);
        Assert.Equal(["bc", "d", "ef"], words.Tokens);
        Assert.Equal(scores.Texts[0].Scores[1, 0] + scores.Texts[0].Scores[2, 0], words.Scores[0, 0], 6);
    }

    [Fact]
    public void Shapley_values_of_tokens_ignore_tokens_after_the_target()
    {
        var map = new ShapleyValues().Attribute(model, tokens, Target.Logit(2, position: 3));
        Assert.True(map.Evidence.Holds);
        Assert.InRange(map.Values[0, 4..].abs().max().item<float>(), 0, 1e-5f);
    }

    [Fact]
    public void Attention_gradients_see_only_earlier_tokens()
    {
        var map = new AttentionGradient { Position = 3 }.Attribute(model, tokens, Target.Logit(2, position: 3));
        Assert.Equal([1L, 6], map.Values.shape);
        Assert.InRange(map.Values[0, 4..].abs().max().item<float>(), 0, 0);
        Assert.True(map.Values[0, ..4].min().item<float>() >= 0);
        Assert.Contains("hook_nothing", Assert.Throws<ArgumentException>(() => new AttentionGradient { Pattern = "hook_nothing" }
            .Attribute(model, tokens, Target.Logit(2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Value_zeroing_gives_shares_of_the_context()
    {
        var grids = ValueZeroing.Of(model, tokens, ["a", "b", "c", "d", "e", "f"]);
        Assert.Equal(3, grids.Count);
        foreach (var grid in grids)
            for (var row = 0; row < 6; row++)
            {
                Assert.Equal(1, Enumerable.Range(0, 6).Sum(column => grid.Values[row, column]), 6);
                for (var column = row + 1; column < 6; column++) Assert.Equal(0, grid.Values[row, column], 6);
            }
    }

    [Fact]
    public void Predictions_of_a_text_sum_to_its_loss()
    {
        long[] text = [3, 1, 4, 1, 5, 9];
        model.eval();   // without dropout, as the explanation
        var predictions = GeneratedTokens.Of(model, text);
        Assert.Equal(text[1..], predictions.Select(one => one.Token));
        using var logits = model.call(tokens);
        var loss = nn.functional.cross_entropy(logits[0, ..^1], tokens[0, 1..], reduction: nn.Reduction.Sum).item<float>();
        Assert.Equal(-loss, predictions.Sum(one => one.LogProbability), 4);
        Assert.All(predictions, one => Assert.InRange(one.Entropy, 0, Math.Log(11)));
        Assert.All(predictions, one => Assert.Equal(one.Alternatives.Select(other => other.Probability).OrderDescending(),
            one.Alternatives.Select(other => other.Probability)));
        Assert.All(predictions.Where(one => one.Rank == 0), one => Assert.Equal(one.Token, one.Alternatives[0].Token));
        Assert.Equal(["1", "4", "1", "5", "9"], predictions.ToTokenScores(token => $"{token}").Texts[0].Tokens);
    }
}
