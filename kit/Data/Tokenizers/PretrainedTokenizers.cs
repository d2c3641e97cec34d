using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Loads the tokenizer in the folder of a published model.</summary>
public static class PretrainedTokenizers
{
    /// <summary>
    /// Reads the first of these that exists: <c>spiece.model</c> (T5) or <c>tokenizer.model</c> (Llama);
    /// <c>vocab.json</c> and <c>merges.txt</c>, or <c>encoder.json</c> and <c>vocab.bpe</c> (GPT-2);
    /// <c>vocab.txt</c> (BERT); <c>tokenizer.json</c> of one of the last two kinds.
    /// </summary>
    /// <param name="folder">
    /// A folder in the layout of transformers. Its <c>tokenizer_config.json</c> says whether BERT lower-cases,
    /// strips accents and splits ideographs, and how many sentinels T5 has.
    /// </param>
    /// <exception cref="FileNotFoundException">
    /// The folder has none of these files; the message lists them.
    /// </exception>
    /// <exception cref="InvalidDataException">
    /// A file is malformed or of a kind that is not supported; the message says which and why.
    /// </exception>
    public static ITokenizer FromFolder(string folder)
    {
        var settings = Settings(folder);
        if (Find(folder, "spiece.model") is { } t5)
            return SentencePieceTokenizer.Parse(File.ReadAllBytes(t5),
                [.. SentencePieceTokenizer.T5Sentinels.TakeLast(Number(settings, "extra_ids") ?? 100)], t5);
        if (Find(folder, "tokenizer.model") is { } llama)
            return SentencePieceTokenizer.Parse(File.ReadAllBytes(llama), null, llama);
        foreach (var (vocabulary, merges) in new[] { ("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe") })
            if (Find(folder, vocabulary) is { } one && Find(folder, merges) is { } two)
                return ByteLevelBpeTokenizer.Parse(File.ReadAllText(one), File.ReadAllText(two));
        if (Find(folder, "vocab.txt") is { } bert) return WordPieceTokenizer.Parse(File.ReadAllText(bert), BertOptions(settings));
        if (Find(folder, "tokenizer.json") is { } json) return TokenizerJson.Parse(File.ReadAllText(json), json);
        throw new FileNotFoundException($"{folder} has no tokenizer; expected spiece.model, tokenizer.model, "
            + "vocab.json with merges.txt, encoder.json with vocab.bpe, vocab.txt or tokenizer.json.");
    }

    private static string? Find(string folder, string file) => Path.Combine(folder, file) is var path && File.Exists(path) ? path
        : null;

    private static JsonElement? Settings(string folder)
    {
        if (Find(folder, "tokenizer_config.json") is not { } path) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone()
                : throw new InvalidDataException($"{path} holds {document.RootElement.ValueKind}; expected an object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{path} is not JSON (line {error.LineNumber + 1}): {error.Message}", error);
        }
    }

    private static WordPieceOptions BertOptions(JsonElement? settings)
    {
        var options = new WordPieceOptions
        {
            LowerCase = Flag(settings, "do_lower_case") ?? true,
            StripAccents = Flag(settings, "strip_accents")
        };
        return options with { SplitIdeographs = Flag(settings, "tokenize_chinese_chars") ?? true };
    }

    private static bool? Flag(JsonElement? settings, string name) =>
        settings is { } found && found.TryGetProperty(name, out var value)
            && (value.ValueKind is JsonValueKind.True or JsonValueKind.False) ? value.GetBoolean() : null;

    private static int? Number(JsonElement? settings, string name) =>
        settings is { } found && found.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number) ? number : null;
}
