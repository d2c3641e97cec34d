using System.Text;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tasks;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Tasks;

public sealed class TextScoringTests : IDisposable
{
    private readonly Gpt model = TinyModels.OfBytes(7);
    private readonly ByteTokenizer bytes = new();

    public void Dispose() => model.Dispose();

    [Fact]
    public void The_score_of_an_answer_is_the_log_probability_of_its_tokens()
    {
        var score = new TextScoring(model, bytes).Score("The sky is", " blue", " größer")[1];
        long[] all = bytes.Encode("The sky is größer");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var log = model.call(tensor(all).unsqueeze(0))[0].to(float64).log_softmax(-1);
        var expected = Enumerable.Range(10, all.Length - 10).Sum(at => log[at - 1, all[at]].item<double>());
        Assert.Equal(expected, score.LogProbability, 1e-4);
        Assert.Equal((" größer", 9), (score.Answer, score.Tokens));
        Assert.Equal(expected / 9, score.PerToken, 1e-5);
        Assert.Equal(expected / 9, score.PerByte, 1e-5);
        Assert.Equal(expected / 7, score.PerCharacter, 1e-5);
    }

    [Theory]
    [InlineData("Who? ", "Me")]
    [InlineData("Who?", " Me")]
    [InlineData("Who? \n ", "Me")]
    public void Spaces_at_the_end_of_a_prompt_belong_to_the_answer(string prompt, string answer)
    {
        using var gpt2 = new Gpt(GptConfig.Nano with { VocabularySize = 50_257 });
        var tokenizer = ByteLevelBpeTokenizer.Gpt2();
        var (context, continuation) = new TextScoring(gpt2, tokenizer).Encode(prompt, answer);
        Assert.Equal("Who?", tokenizer.Decode(context));
        Assert.Equal(prompt + answer, tokenizer.Decode([.. context, .. continuation]));
        // as the whole text is cut
        Assert.Equal(tokenizer.Encode(prompt + answer), context.Concat(continuation));
    }

    [Fact]
    public void An_answer_without_a_prompt_follows_the_end_of_text_token()
    {
        using var gpt2 = new Gpt(GptConfig.Nano with { VocabularySize = 50_257 });
        var tokenizer = ByteLevelBpeTokenizer.Gpt2();
        var (context, continuation) = new TextScoring(gpt2, tokenizer).Encode("", "Hello there");
        Assert.Equal([50_256], context);
        Assert.Equal(tokenizer.Encode("Hello there"), continuation);
        var error = Assert.Throws<ArgumentException>(() => new TextScoring(model, bytes).Score("", "a"));
        Assert.Contains("PrefixToken", error.Message, StringComparison.Ordinal);
        Assert.Single(new TextScoring(model, bytes) { PrefixToken = 10 }.Score("", "a"));
    }

    [Fact]
    public void Answers_without_a_token_of_their_own_are_refused()
    {
        Assert.Contains("empty", Assert.Throws<ArgumentException>(() => new TextScoring(model, bytes).Score("a", "")).Message,
            StringComparison.Ordinal);
        // the one token of "the" swallows the answer
        using var gpt2 = new Gpt(GptConfig.Nano with { VocabularySize = 50_257 });
        Assert.Contains("no token of its own", Assert.Throws<ArgumentException>(() =>
            new TextScoring(gpt2, ByteLevelBpeTokenizer.Gpt2()).Score("th", "e")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new TextScoring(model, bytes).Choose("a"));
    }

    [Fact]
    public void A_choice_takes_the_most_probable_answer_and_its_probabilities_sum_to_one()
    {
        var choice = new TextScoring(model, bytes).Choose("Is it?", " yes", " no", " perhaps");
        Assert.Equal(1, choice.Probabilities.Sum(), 1e-9);
        Assert.Equal(choice.Scores.MaxBy(score => score.LogProbability)!.Answer, choice.Answer);
        Assert.Equal(choice.Probabilities.Max(), choice.Probabilities[choice.Index]);
        var ratio = Math.Exp(choice.Scores[0].LogProbability - choice.Scores[1].LogProbability);
        Assert.Equal(ratio, choice.Probabilities[0] / choice.Probabilities[1], ratio * 1e-9);
        Assert.Equal(choice.Draw(3), choice.Draw(3));
        var even = new AnswerChoice("", [new("a", -1, 1, false), new("b", -1, 1, false)]);
        Assert.InRange(Enumerable.Range(0, 1000).Count(seed => even.Draw(seed) == "a"), 430, 570);
        Assert.Equal("a", even.Answer);
        Assert.Equal(["> 0.500 a -1 nats (1 tokens)", "  0.500 b -1 nats (1 tokens)"], even.ToString().Split('\n'));
    }

    /// <summary>Eight tokens of probability 1/256 each, at every place.</summary>
    [Fact]
    public void The_units_of_an_even_model_are_known()
    {
        using var even = new Gpt(GptConfig.Nano with { VocabularySize = 256, TieEmbeddings = false });
        using (no_grad())
            foreach (var (_, parameter) in even.named_parameters()) parameter.zero_();
        // 9 bytes, 3 words; the first byte is not scored
        var score = new TextScoring(even, bytes).Perplexity("ab cd ü\n");
        Assert.Equal((8, 8, 4), (score.Tokens, score.Bytes, score.Words));   // "ab", "cd", "ü" and, as the harness counts, ""
        Assert.Equal(Math.Log(256), score.NatsPerToken, 1e-5);
        Assert.Equal(256, score.Perplexity, 1e-2);
        Assert.Equal(8, score.BitsPerByte, 1e-5);
        Assert.Equal(Math.Pow(256, 2), score.WordPerplexity, 1);
        Assert.Equal(9, new TextScoring(even, bytes) { PrefixToken = 0 }.Perplexity("ab cd ü\n").Bytes);
    }

    [Theory]
    [InlineData("a b", 2)]
    [InlineData("a  \t b", 2)]
    [InlineData(" a b ", 4)]
    [InlineData("a\u001cb", 2)]
    [InlineData("a\u00a0b", 2)]
    public void Words_are_counted_as_the_harness_does(string text, int words) =>
        Assert.Equal(words, new TextScoring(model, bytes).Perplexity(text).Words);

    [Fact]
    public void A_long_text_is_scored_in_windows()
    {
        var text = DataSets.Open("austen").ReadText("persuasion.txt.gz")[..700];
        var scoring = new TextScoring(model, bytes);
        var coarse = scoring.Perplexity(text);
        var fine = scoring.Perplexity(text, window: 64, stride: 1);
        Assert.Equal(Encoding.UTF8.GetByteCount(text) - 1, coarse.Tokens);
        Assert.Equal(coarse.Tokens, fine.Tokens);
        Assert.NotEqual(coarse.LogProbability, fine.LogProbability);
        Assert.Equal(coarse.LogProbability, scoring.Perplexity(text, stride: 64).LogProbability, 1e-3);
        Assert.Throws<ArgumentException>(() => scoring.Perplexity("a"));
        Assert.Throws<ArgumentException>(() => scoring.Perplexity(""));
    }
}
