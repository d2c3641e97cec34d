using ResearchKit.Data;

namespace ResearchKit.Checkpoints;

/// <summary>The tokenizer of a GGUF file.</summary>
public static class GgufTokenizer
{
    private const int Normal = 1, Control = 3;   // llama.cpp's kinds of tokens

    /// <summary>Reads a byte-level BPE tokenizer.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">The file has another kind of tokenizer, or its lists are damaged.</exception>
    public static ByteLevelBpeTokenizer ReadTokenizer(this GgufFile file)
    {
        var kind = file.Values.GetValueOrDefault("tokenizer.ggml.model") as string;
        if (kind != "gpt2")
            throw new InvalidDataException($"The tokenizer is '{kind ?? "missing"}'; expected gpt2, byte-level BPE.");
        var tokens = Texts(file, "tokenizer.ggml.tokens");
        var merges = Texts(file, "tokenizer.ggml.merges").Select(merge => merge.Split(' ')).ToList();
        if (merges.Any(merge => merge.Length != 2))
            throw new InvalidDataException("A merge of the tokenizer is no pair of tokens.");
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var id = 0; id < tokens.Count; id++)
            if (!ids.TryAdd(tokens[id], id)) throw new InvalidDataException($"The token '{tokens[id]}' occurs twice.");
        var end = file.Values.GetValueOrDefault("tokenizer.ggml.eos_token_id") is long last && last >= 0 && last < tokens.Count
            ? tokens[(int)last] : "<|endoftext|>";
        return new ByteLevelBpeTokenizer(ids, [.. merges.Select(merge => (merge[0], merge[1]))], end);
    }

    /// <summary>The values that describe a tokenizer; those of none where it is null.</summary>
    /// <exception cref="ArgumentException">The tokenizer has another number of tokens than the model.</exception>
    internal static IEnumerable<KeyValuePair<string, object>> Values(ByteLevelBpeTokenizer? tokenizer, int vocabularySize)
    {
        if (tokenizer is null) return [new("tokenizer.ggml.model", "none")];
        if (tokenizer.VocabularySize != vocabularySize)
            throw new ArgumentException($"The tokenizer has {tokenizer.VocabularySize} tokens, the model {vocabularySize}.",
                nameof(tokenizer));
        var tokens = Enumerable.Range(0, vocabularySize).Select(id => tokenizer.Token(id)).ToArray();
        var end = tokenizer.Special.End;
        var values = new List<KeyValuePair<string, object>>
        {
            new("tokenizer.ggml.model", "gpt2"),
            new("tokenizer.ggml.pre", "gpt-2"),
            new("tokenizer.ggml.tokens", tokens),
            new("tokenizer.ggml.token_type", tokens.Select((_, id) => id == end ? Control : Normal).ToArray()),
            new("tokenizer.ggml.merges", tokenizer.Merges.Select(pair => $"{pair.Left} {pair.Right}").ToArray()),
        };
        if (end is { } id)
        {
            values.Add(new("tokenizer.ggml.bos_token_id", (int)id));
            values.Add(new("tokenizer.ggml.eos_token_id", (int)id));
        }
        return values;
    }

    private static List<string> Texts(GgufFile file, string name) => file.Values.GetValueOrDefault(name) is object[] values
        && values.All(value => value is string) ? [.. values.Cast<string>()]
        : throw new InvalidDataException($"The file lacks a list of texts {name}.");
}
