using ResearchKit.Checkpoints;
using ResearchKit.Models;

namespace ResearchKit.Tests.Checkpoints;

public sealed class GenerationPretrainedTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("generation").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_file_with_sampling_is_read()
    {
        Write("generation_config.json", """
            {"do_sample": true, "temperature": 0.6, "top_p": 0.9, "min_p": 0.05, "typical_p": 0.8, "repetition_penalty": 1.1,
             "no_repeat_ngram_size": 3, "max_new_tokens": 64, "min_new_tokens": 2, "eos_token_id": [7, 9], "pad_token_id": 9,
             "stop_strings": "###", "max_length": 4096, "transformers_version": "4.40.0", "bos_token_id": 1}
            """);
        var options = SamplingOptions.FromPretrained(folder);
        Assert.Equal((0.6, 50, 0.9, 0.05, 0.8), (options.Temperature, options.TopK, options.TopP, options.MinP,
            options.TypicalP));
        Assert.Equal((1.1, 3, 64, 2, 9L), (options.RepetitionPenalty, options.NoRepeatNgram, options.MaximumTokens,
            options.MinimumTokens, options.PadToken));
        Assert.Equal([7, 9], options.StopTokens);
        Assert.Equal(["###"], options.StopStrings);
    }

    [Fact]
    public void Without_sampling_the_most_probable_token_is_taken()
    {
        Write("generation_config.json", """{"temperature": 0.7, "top_k": 0, "eos_token_id": 2, "max_new_tokens": null}""");
        var options = SamplingOptions.FromPretrained(folder);
        Assert.Equal((0, null, null, 200), (options.Temperature, options.TopK, options.TopP, options.MaximumTokens));
        Assert.Equal(2, options.StopToken);
    }

    [Fact]
    public void Top_k_of_zero_is_none()
    {
        Write("generation_config.json", """{"do_sample": true, "top_k": 0}""");
        Assert.Null(SamplingOptions.FromPretrained(folder).TopK);
    }

    [Fact]
    public void Stop_tokens_may_come_from_the_configuration()
    {
        Write("config.json", """{"model_type": "gpt2", "eos_token_id": 50256, "pad_token_id": 3}""");
        Assert.Equal((50256L, 0), (SamplingOptions.FromPretrained(folder).StopToken,
            SamplingOptions.FromPretrained(folder).Temperature));
        Write("generation_config.json", """{"do_sample": true, "eos_token_id": null}""");
        var options = SamplingOptions.FromPretrained(folder);
        Assert.Equal((50256L, 1, 3L), (options.StopToken, options.Temperature, options.PadToken));
    }

    [Theory]
    [InlineData("""{"eos_token_id": "two"}""", "eos_token_id")]
    [InlineData("""{"eos_token_id": [1, "two"]}""", "eos_token_id")]
    [InlineData("""{"do_sample": true, "top_p": 1.5}""", "TopP is 1.5")]
    [InlineData("""{"repetition_penalty": 0}""", "RepetitionPenalty is 0")]
    [InlineData("""{"top_k": -1, "do_sample": true}""", "top_k")]
    [InlineData("""[1]""", "no JSON object")]
    [InlineData("""{"stop_strings": [3]}""", "stop_strings")]
    public void A_bad_value_is_named_with_its_file(string text, string expected)
    {
        Write("generation_config.json", text);
        var error = Assert.Throws<InvalidDataException>(() => SamplingOptions.FromPretrained(folder));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("generation_config.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_either_file_is_named()
    {
        Assert.Throws<FileNotFoundException>(() => SamplingOptions.FromPretrained(folder));
        Assert.Throws<DirectoryNotFoundException>(() => SamplingOptions.FromPretrained(Path.Combine(folder, "none")));
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);
}
