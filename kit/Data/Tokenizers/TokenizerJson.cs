using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// Reads the file <c>tokenizer.json</c> of Hugging Face tokenizers, if it describes a tokenizer like GPT-2's or
/// BERT's.
/// </summary>
internal static class TokenizerJson
{
    public static ITokenizer Parse(string text, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var model = document.RootElement.GetProperty("model");
            var type = model.TryGetProperty("type", out var named) ? named.GetString()
                : model.TryGetProperty("merges", out _) ? "BPE" : "WordPiece";
            return type switch
            {
                "BPE" => Gpt2Kind(document.RootElement, model, name),
                "WordPiece" => BertKind(document.RootElement, model, name),
                _ => throw new InvalidDataException($"{name} has a model of type {type}; expected BPE or WordPiece. "
                    + "For SentencePiece, use its .model file."),
            };
        }
        catch (Exception error) when (
            error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{name} does not describe a tokenizer: {error.Message}", error);
        }
    }

    private static ByteLevelBpeTokenizer Gpt2Kind(JsonElement root, JsonElement model, string name)
    {
        var cutting = root.GetProperty("pre_tokenizer");
        if (Text(cutting, "type") != "ByteLevel" || Flag(cutting, "add_prefix_space") == true
            || Flag(cutting, "use_regex") == false || Present(root, "normalizer"))
            throw new InvalidDataException($"{name} splits words by {Text(cutting, "type")}; "
                + "expected GPT-2's ByteLevel without a prefix space or a normalizer.");
        var vocabulary = Vocabulary(model);
        if (root.TryGetProperty("added_tokens", out var extra))
            foreach (var added in extra.EnumerateArray())
                vocabulary.TryAdd(added.GetProperty("content").GetString()!, added.GetProperty("id").GetInt32());
        var merges = model.GetProperty("merges").EnumerateArray().Select((merge, number) =>
            (merge.ValueKind == JsonValueKind.String ? merge.GetString()!.Split(' ')
                : [.. merge.EnumerateArray().Select(part => part.GetString()!)]) is [var left, var right]
                ? (left, right) : throw new InvalidDataException($"{name} has a merge number {number} that does not consist of "
                    + "two tokens."));
        return new ByteLevelBpeTokenizer(vocabulary, [.. merges]);
    }

    private static WordPieceTokenizer BertKind(JsonElement root, JsonElement model, string name)
    {
        var normalizer = root.GetProperty("normalizer");
        var cutting = root.GetProperty("pre_tokenizer");
        if (Text(normalizer, "type") != "BertNormalizer" || Text(cutting, "type") != "BertPreTokenizer"
            || Text(model, "continuing_subword_prefix") is not (null or "##"))
            throw new InvalidDataException($"{name} splits words by {Text(normalizer, "type")} and "
                + $"{Text(cutting, "type")}; expected BertNormalizer and BertPreTokenizer, and ## before pieces.");
        var tokens = VocabularyIds.Inverse(Vocabulary(model));
        if (Array.IndexOf(tokens, null) is >= 0 and var missing)
            throw new InvalidDataException($"{name} has no token with the id {missing}; "
                + $"expected all ids below {tokens.Length}.");
        return new WordPieceTokenizer(tokens!, new WordPieceOptions
        {
            LowerCase = Flag(normalizer, "lowercase") ?? true,
            StripAccents = Flag(normalizer, "strip_accents"),
            SplitIdeographs = Flag(normalizer, "handle_chinese_chars") ?? true,
            LongestWord = model.TryGetProperty("max_input_chars_per_word", out var longest) ? longest.GetInt32() : 100,
        });
    }

    private static Dictionary<string, int> Vocabulary(JsonElement model) =>
        model.GetProperty("vocab").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.GetInt32(), StringComparer.Ordinal);

    private static bool Present(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static bool? Flag(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetBoolean() : null;
}
