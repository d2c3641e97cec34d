using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tasks;

namespace ResearchKit.Tests.Tasks;

public sealed class TextGenerationTests
{
    private static readonly ByteTokenizer Bytes = new();

    [Fact]
    public void Texts_in_one_batch_are_those_that_each_gets_alone()
    {
        using var model = TinyModels.OfBytes();
        var generation = new TextGeneration(model, Bytes) { Options = SamplingOptions.Greedy with { MaximumTokens = 20 } };
        string[] prompts = ["a", "Emma was ", "größer als"];
        var batch = generation.Write(prompts);
        Assert.Equal(prompts.Select(prompt => generation.Write(prompt).Text), batch.Select(text => text.Text));
        Assert.Equal(prompts, batch.Select(text => text.Prompt));
        Assert.All(batch, text => Assert.Equal(20, text.Tokens.Count));
        Assert.Empty(generation.Write(Array.Empty<string>()));
    }

    [Fact]
    public async Task A_stream_gives_the_same_text_in_whole_characters()
    {
        using var model = TinyModels.OfBytes(2);
        var generation = new TextGeneration(model, Bytes);
        for (var seed = 0; seed < 5; seed++)
        {
            var options = new SamplingOptions { MaximumTokens = 60, Seed = seed };
            var text = generation.Write("a", options).Text;
            Assert.Equal(text, string.Concat(generation.Stream("a", options)));
            var parts = new List<string>();
            await foreach (var part in generation.StreamAsync("a", options)) parts.Add(part);
            Assert.Equal(text, string.Concat(parts));
            Assert.DoesNotContain("", parts);
        }
    }

    [Fact]
    public void A_stop_string_ends_each_text_by_itself()
    {
        using var model = TinyModels.OfBytes(3);
        var generation = new TextGeneration(model, Bytes);
        string[] prompts = ["one", "other", "th"];
        var greedy = SamplingOptions.Greedy with { MaximumTokens = 40 };
        var free = generation.Write(prompts, greedy);
        for (var row = 0; row < prompts.Length; row++)
        {
            var whole = free[row].Text;
            var stop = whole.Substring(whole.Length / 2, 3);
            var stopped = generation.Write(prompts, greedy with { StopStrings = [stop] });
            for (var other = 0; other < prompts.Length; other++)
            {
                var at = free[other].Text.IndexOf(stop, StringComparison.Ordinal);
                Assert.Equal(at < 0 ? free[other].Text : free[other].Text[..at], stopped[other].Text);
                Assert.Equal(stopped[other].Text, generation.Write(prompts[other], greedy with { StopStrings = [stop] }).Text);
                Assert.Equal(stopped[other].Text, string.Concat(
                    generation.Stream(prompts[other], greedy with { StopStrings = [stop] })));
            }
        }
    }

    [Fact]
    public void A_stop_token_has_no_text()
    {
        using var model = TinyModels.OfBytes(4);
        var generation = new TextGeneration(model, Bytes);
        var free = generation.Write("x", SamplingOptions.Greedy with { MaximumTokens = 10 });
        var stop = free.Tokens[5].Id;
        var stopped = generation.Write("x", SamplingOptions.Greedy with { MaximumTokens = 10, StopTokens = [stop] });
        Assert.Equal(stop, stopped.Tokens[^1].Id);
        Assert.Equal(Bytes.Decode([.. stopped.Tokens.SkipLast(1).Select(token => token.Id)]), stopped.Text);
    }

    [Fact]
    public async Task It_can_be_cancelled()
    {
        using var model = TinyModels.OfBytes();
        var generation = new TextGeneration(model, Bytes);
        using var cancelling = new CancellationTokenSource();
        var parts = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in generation.StreamAsync("a", cancellation: cancelling.Token))
                if (++parts == 3) await cancelling.CancelAsync();
        });
        Assert.Equal(3, parts);
        Assert.Throws<OperationCanceledException>(() => generation.Write("a", cancellation: cancelling.Token));
        Assert.Throws<OperationCanceledException>(() => generation.Write(["a", "b"], cancellation: cancelling.Token));
    }

    [Fact]
    public void Nothing_stays_in_memory()
    {
        using var model = TinyModels.OfBytes();
        var generation = new TextGeneration(model, Bytes)
        {
            Options = new SamplingOptions
            {
                MaximumTokens = 5,
                MinP = 0.1,
                RepetitionPenalty = 1.2
            }
        };
        _ = generation.Write("a");
        var before = LiveTensors.Count;
        _ = generation.Write("a");
        _ = generation.Write(["a", "bcd"]);
        _ = generation.Stream("a").Take(2).ToList();
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void An_empty_prompt_begins_with_a_special_token_or_is_refused()
    {
        using var model = TinyModels.OfBytes();
        Assert.Contains("The prompt is empty", Assert.Throws<ArgumentException>(() =>
            new TextGeneration(model, Bytes).Write("")).Message, StringComparison.Ordinal);
        using var gpt2 = new Gpt(GptConfig.Nano with { VocabularySize = 50_257 });
        var text = new TextGeneration(gpt2, ByteLevelBpeTokenizer.Gpt2())
            .Write("", SamplingOptions.Greedy with { MaximumTokens = 2 });
        Assert.Equal(2, text.Tokens.Count);
    }

    [Fact]
    public void A_published_folder_is_ready_with_its_tokenizer_and_its_options()
    {
        var folder = Directory.CreateTempSubdirectory("generation").FullName;
        try
        {
            Compute.Seed(5);
            using var model = new Gpt(GptConfig.Nano with { VocabularySize = 50_257 });
            model.SavePretrained(folder);
            ByteLevelBpeTokenizer.Gpt2().Save(folder);
            File.WriteAllText(Path.Combine(folder, "generation_config.json"), """{"max_new_tokens": 7, "eos_token_id": 50256}""");
            var generation = TextGeneration.FromPretrained(folder);
            Assert.Equal((7, 50256L, 0), (generation.Options.MaximumTokens, generation.Options.StopToken,
                generation.Options.Temperature));
            model.eval();
            Assert.Equal(model.Generate(ByteLevelBpeTokenizer.Gpt2().Encode("Hello"), generation.Options)
                .Select(token => token.Id),
                generation.Write("Hello").Tokens.Select(token => token.Id));
            File.WriteAllText(Path.Combine(folder, "config.json"), """{"model_type": "bert"}""");
            Assert.Contains("gpt2 or llama", Assert.Throws<InvalidDataException>(() => TextGeneration.FromPretrained(folder))
                .Message,
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
