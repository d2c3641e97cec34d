using ResearchKit.Models;

namespace ResearchKit.Checkpoints;

/// <summary>
/// Reads how a published model is meant to generate: <c>generation_config.json</c>, in the format of transformers.
/// </summary>
/// <remarks>
/// Fields that are missing have the defaults of transformers: no sampling, and 50 for top-k where there is sampling. Fields
/// that <see cref="SamplingOptions"/> lacks are ignored, as is <c>max_length</c>, which counts the prompt.
/// </remarks>
public static class GenerationPretrained
{
    private const string File = "generation_config.json";
    private const int DefaultTopK = 50;

    extension(SamplingOptions options)
    {
        /// <summary>Reads the options of a published model.</summary>
        /// <param name="folder">
        /// A folder in the layout of transformers. Without <c>generation_config.json</c>, the options are greedy, with the
        /// stop and padding tokens of <c>config.json</c>, as older models have them.
        /// </param>
        /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
        /// <exception cref="FileNotFoundException">The folder has neither file.</exception>
        /// <exception cref="InvalidDataException">
        /// A file is damaged, or a value is out of range; the message says which.
        /// </exception>
        public static SamplingOptions FromPretrained(string folder)
        {
            var config = System.IO.File.Exists(Path.Combine(folder, CheckpointFolder.Config)) ? ConfigFile.Read(folder) : null;
            var own = System.IO.File.Exists(Path.Combine(folder, File)) ? ConfigFile.Read(folder, File) : null;
            return Read(own ?? config ?? ConfigFile.Read(folder), config);
        }
    }

    private static SamplingOptions Read(ConfigFile file, ConfigFile? config)
    {
        var samples = file.Flag("do_sample", false);
        var options = new SamplingOptions();
        options = options with
        {
            MaximumTokens = file.SizeOrNull("max_new_tokens") ?? options.MaximumTokens,
            MinimumTokens = file.SizeOrZero("min_new_tokens") ?? 0,
            Temperature = samples ? file.Number("temperature", 1) : 0,
            TopK = !samples ? null : file.SizeOrZero("top_k") is var k && k == 0 ? null : k ?? DefaultTopK,
            TopP = samples ? Part(file.Number("top_p", 1)) : null,
            TypicalP = samples ? Part(file.Number("typical_p", 1)) : null,
            MinP = samples && file.Has("min_p") ? file.Number("min_p") : null,
            RepetitionPenalty = file.Number("repetition_penalty", 1),
            NoRepeatNgram = file.SizeOrZero("no_repeat_ngram_size") is > 0 and var length ? length : null,
            StopTokens = file.TokensOrNull("eos_token_id") ?? config?.TokensOrNull("eos_token_id") ?? [],
            StopStrings = file.TextsOrNull("stop_strings") ?? [],
            PadToken = (file.TokensOrNull("pad_token_id") ?? config?.TokensOrNull("pad_token_id")) is [var padding, ..]
                ? padding : 0,
        };
        try
        {
            return options.Validated();
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"{file.Path} has a value that is out of range: {error.Message}", error);
        }
    }

    private static double? Part(double share) => share == 1 ? null : share;
}
