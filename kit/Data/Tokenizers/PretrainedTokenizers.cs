using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Loads the tokenizer in the folder of a published model.</summary>
public static class PretrainedTokenizers
{
    /// <summary>
    /// Reads the first of these that exists: <c>tokenizer.json</c>; <c>spiece.model</c> (T5), <c>tokenizer.model</c> (Llama; a
    /// SentencePiece or a tiktoken file) or <c>sentencepiece.bpe.model</c>; <c>vocab.json</c> and <c>merges.txt</c>, or
    /// <c>encoder.json</c> and <c>vocab.bpe</c> (GPT-2); <c>vocab.txt</c> (BERT); a file <c>*.tiktoken</c>.
    /// </summary>
    /// <param name="folder">
    /// A folder in the layout of transformers. <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
    /// <c>added_tokens.json</c> beside the file say which tokens are added, which are special, whether BERT lower-cases, strips
    /// accents and splits ideographs, and how many sentinels T5 has.
    /// </param>
    /// <returns>
    /// A tokenizer that gives the ids of transformers. Added tokens in a text are found; no beginning or end token is added.
    /// </returns>
    /// <exception cref="FileNotFoundException">
    /// The folder has none of these files; the message lists them.
    /// </exception>
    /// <exception cref="InvalidDataException">
    /// A file is malformed or uses what is not supported; the message says which and what.
    /// </exception>
    public static ITokenizer FromFolder(string folder)
    {
        var settings = TokenizerSettings.Read(folder);
        ChatTemplate? Chat() => ChatTemplate.Find(folder, "default");
        if (Find(folder, "tokenizer.json") is { } json)
            return TokenizerJson.Parse(File.ReadAllText(json), json, settings, Chat);
        if (Find(folder, "spiece.model") is { } t5) return SentencePieces(t5, settings, sentinels: true);
        if ((Find(folder, "tokenizer.model") ?? Find(folder, "sentencepiece.bpe.model")) is { } llama)
            return SentencePieces(llama, settings, sentinels: false, Chat);
        foreach (var (vocabulary, merges) in new[] { ("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe") })
            if (Find(folder, vocabulary) is { } one && Find(folder, merges) is { } two)
                return ByteLevelBpeTokenizer.Parse(File.ReadAllText(one), File.ReadAllText(two), settings);
        if (Find(folder, "vocab.txt") is { } bert)
            return WordPieceTokenizer.Parse(File.ReadAllText(bert), BertOptions(settings.Config), settings);
        if (Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.tiktoken").Order(StringComparer.Ordinal)
            .FirstOrDefault()
            is { } ranks) return TiktokenFile.Parse(File.ReadAllBytes(ranks), ranks, null, settings, Chat);
        throw new FileNotFoundException($"{folder} has no tokenizer; expected tokenizer.json, spiece.model, tokenizer.model, "
            + "sentencepiece.bpe.model, vocab.json with merges.txt, encoder.json with vocab.bpe, vocab.txt or *.tiktoken.");
    }

    /// <summary>Reads the file of a tokenizer: <c>tokenizer.json</c>.</summary>
    /// <inheritdoc cref="FromFolder" path="/exception"/>
    public static PretrainedTokenizer FromJson(string path) => TokenizerJson.Parse(File.ReadAllText(path), path);

    /// <summary>Reads a tiktoken file: a line for each token, its bytes in base64 and its rank.</summary>
    /// <param name="path">The file.</param>
    /// <param name="encoding">
    /// How texts are split, and the special tokens; null to choose it by the number of ranks, or else Llama 3's.
    /// </param>
    /// <inheritdoc cref="FromFolder" path="/exception"/>
    public static PretrainedTokenizer FromTiktoken(string path, TiktokenEncoding? encoding = null) =>
        TiktokenFile.Parse(File.ReadAllBytes(path), path, encoding);

    private static ITokenizer SentencePieces(string path, TokenizerSettings settings, bool sentinels,
        Func<ChatTemplate?>? chat = null)
    {
        var bytes = File.ReadAllBytes(path);
        if (TiktokenFile.IsTiktoken(bytes)) return TiktokenFile.Parse(bytes, path, null, settings, chat);
        return SentencePieceTokenizer.Parse(bytes,
            sentinels ? [.. SentencePieceTokenizer.T5Sentinels.TakeLast(settings.Config.Number("extra_ids") ?? 100)] : null, path,
            settings);
    }

    private static string? Find(string folder, string file) => Path.Combine(folder, file) is var path && File.Exists(path) ? path
        : null;

    private static WordPieceOptions BertOptions(JsonElement settings) => new()
    {
        LowerCase = settings.Flag("do_lower_case") ?? true,
        StripAccents = settings.Flag("strip_accents"),
        SplitIdeographs = settings.Flag("tokenize_chinese_chars") ?? true,
    };
}
