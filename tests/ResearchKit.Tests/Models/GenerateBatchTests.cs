using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Models;

/// <summary>Prompts of different lengths in one batch.</summary>
public sealed class GenerateBatchTests
{
    private static readonly IReadOnlyList<long>[] Prompts = [[5, 6, 7, 8, 9, 10], [3], [11, 12, 13], [1, 2, 3, 4, 5, 6]];

    [Theory]
    [InlineData(12)]
    [InlineData(45)]   // beyond the context length of 32, where the window moves
    public void Each_row_gets_the_tokens_that_it_gets_alone(int length)
    {
        Compute.Seed(3);
        foreach (var model in new ILanguageModel[] { new Gpt(GptConfig.Nano), new Llama(LlamaConfig.Nano) })
            foreach (var options in Options(length))
            {
                var batch = model.GenerateBatch(Prompts, options);
                for (var row = 0; row < Prompts.Length; row++)
                {
                    var alone = model.Generate(Prompts[row], options).ToList();
                    Assert.Equal(alone.Select(token => token.Id), batch[row].Select(token => token.Id));
                    Assert.All(alone.Zip(batch[row]), pair => Assert.Equal(pair.First.Probability, pair.Second.Probability,
                        1e-5));
                }
            }
    }

    [Fact]
    public void Each_row_of_an_encoder_decoder_gets_the_tokens_that_it_gets_alone()
    {
        Compute.Seed(4);
        using var model = new T5(T5Config.Nano);
        foreach (var options in Options(10))
        {
            var batch = model.GenerateBatch(Prompts, options);
            for (var row = 0; row < Prompts.Length; row++)
                Assert.Equal(model.Generate(Prompts[row], options).Select(token => token.Id),
                    batch[row].Select(token => token.Id));
        }
    }

    [Fact]
    public void The_logits_of_a_row_are_those_that_it_gets_alone()
    {
        Compute.Seed(5);
        foreach (var model in new ILanguageModel[] { new Gpt(GptConfig.Nano), new Llama(LlamaConfig.Nano) })
        {
            using var scope = NewDisposeScope();
            var (tokens, mask) = PaddedTokens.Left(Prompts);
            var options = SamplingOptions.Greedy with { MaximumTokens = 8, KeepLogits = true };
            var batch = model.GenerateBatch(tokens, options, mask);
            for (var row = 0; row < Prompts.Length; row++)
            {
                var alone = model.GenerateBatch(tensor(Prompts[row].ToArray()).unsqueeze(0), options);
                Golden.Near.Check($"row {row}", alone.StepLogits![0], batch.StepLogits![row], 1e-5);
            }
        }
    }

    [Fact]
    public void A_rule_of_the_caller_ends_a_row_and_only_that()
    {
        using var model = new Gpt(GptConfig.Nano);
        var batch = model.GenerateBatch(Prompts, SamplingOptions.Greedy with { MaximumTokens = 6 }, (row, _) => row == 2);
        Assert.Equal([6, 6, 1, 6], batch.Select(row => row.Count));
    }

    [Fact]
    public void It_can_be_cancelled_and_refuses_empty_prompts()
    {
        using var model = new Gpt(GptConfig.Nano);
        using var cancelling = new CancellationTokenSource();
        var before = LiveTensors.Count;
        Assert.Throws<OperationCanceledException>(() => model.GenerateBatch(Prompts, null, (_, _) =>
        {
            cancelling.Cancel();
            return false;
        }, cancelling.Token));
        Assert.Equal(before, LiveTensors.Count);
        Assert.Contains("Prompt 1 of 2", Assert.Throws<ArgumentException>(() => model.GenerateBatch([[1], []])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.GenerateBatch([[1], [1000]]));
        Assert.Empty(model.GenerateBatch([]));
    }

    private static SamplingOptions[] Options(int length) =>
    [
        SamplingOptions.Greedy with { MaximumTokens = length },
        // padding must count neither as a repeated token nor as the beginning of an n-gram
        SamplingOptions.Greedy with { MaximumTokens = length, RepetitionPenalty = 1.5, PresencePenalty = 0.2, NoRepeatNgram = 2 },
    ];
}
