using ResearchKit.Data;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Checkpoints;

/// <summary>The tokenizer of a GGUF file.</summary>
public static class GgufTokenizer
{
    private const int Normal = 1, Control = 3;   // llama.cpp's kinds of tokens
    private const float AddedScore = -1000, PaddingScore = -10_000;   // below those of pieces
    private const char WordStart = '\u2581';
    private const string Inside = "##";

    /// <summary>Reads a byte-level BPE tokenizer.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">The file has another kind of tokenizer, or its lists are damaged.</exception>
    public static ByteLevelBpeTokenizer ReadTokenizer(this GgufFile file)
    {
        CheckKind(file, "gpt2", "byte-level BPE");
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

    /// <summary>Reads a WordPiece tokenizer, that of BERT.</summary>
    /// <param name="file">The file.</param>
    /// <param name="options">How words are split; null for those of lower-case BERT.</param>
    /// <exception cref="InvalidDataException">The file has another kind of tokenizer, or its list is damaged.</exception>
    public static WordPieceTokenizer ReadWordPieces(this GgufFile file, WordPieceOptions? options = null)
    {
        CheckKind(file, "bert", "WordPiece");
        try
        {
            return new WordPieceTokenizer([.. Texts(file, "tokenizer.ggml.tokens").Select(token => token.StartsWith(WordStart)
                ? token[1..] : IsSpecial(token) ? token : Inside + token)], options);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException($"The tokens are no vocabulary of BERT: {error.Message}", error);
        }
    }

    /// <summary>Reads a unigram tokenizer of SentencePiece, that of T5.</summary>
    /// <remarks>Tokens at the end that only fill the model's vocabulary are left out.</remarks>
    /// <param name="file">The file.</param>
    /// <exception cref="InvalidDataException">The file has another kind of tokenizer, or its lists are damaged.</exception>
    public static SentencePieceTokenizer ReadPieces(this GgufFile file)
    {
        const string Tokens = "tokenizer.ggml.tokens";
        CheckKind(file, "t5", "SentencePiece unigrams");
        var texts = Texts(file, Tokens);
        var scores = List(file, "tokenizer.ggml.scores", texts.Count);
        var kinds = List(file, "tokenizer.ggml.token_type", texts.Count);
        var pieces = texts.Select((text, id) => new Piece(text, Convert.ToDouble(scores[id]),
            kinds[id] is long and >= 0 and < 10 and var kind ? (PieceKind)kind : 0)).ToList();
        if (pieces.FindIndex(piece => piece.Text.Length == 0 || !Enum.IsDefined(piece.Kind) || !double.IsFinite(piece.Score))
            is >= 0 and var wrong)
            throw new InvalidDataException($"Token {wrong} of {Tokens} has no text, a kind that is not known, or no finite "
                + "score.");
        while (pieces is [.., { Kind: PieceKind.Unused }]) pieces.RemoveAt(pieces.Count - 1);
        var count = pieces.Count;
        while (count > 0 && pieces[count - 1] is { Kind: PieceKind.UserDefined, Score: AddedScore }) count--;
        bool Flag(string name) => file.Values.GetValueOrDefault($"tokenizer.ggml.{name}") is not false;
        string Named(string name, string usual) => file.Values.GetValueOrDefault($"tokenizer.ggml.{name}_token_id") is long id
            && id >= 0 && id < count ? pieces[(int)id].Text : usual;
        var map = file.Values.GetValueOrDefault("tokenizer.ggml.precompiled_charsmap") is object[] bytes ? bytes : [];
        if (!map.All(number => number is long and >= 0 and <= byte.MaxValue))
            throw new InvalidDataException("The precompiled_charsmap of the tokenizer is no list of bytes.");
        return SentencePieceTokenizer.From(new PieceModel
        {
            Pieces = pieces[..count],
            CharacterMap = [.. map.Select(number => (byte)(long)number)],
            AddDummyPrefix = Flag("add_space_prefix"),
            RemoveExtraSpaces = Flag("remove_extra_whitespaces"),
            EndPiece = Named("eos", "</s>"),
            PaddingPiece = Named("padding", "<pad>"),
        }, "the tokenizer of the file", [.. pieces[count..].Select(piece => piece.Text)]);
    }

    /// <summary>The values that describe a unigram tokenizer; those of none where it is null.</summary>
    /// <exception cref="ArgumentException">The tokenizer has more tokens than the model, or is no unigram model.</exception>
    internal static IEnumerable<KeyValuePair<string, object>> Values(SentencePieceTokenizer? tokenizer, int vocabularySize)
    {
        if (tokenizer is null) return None;
        if (tokenizer.VocabularySize > vocabularySize) CheckSize(tokenizer.VocabularySize, vocabularySize);
        var model = tokenizer.Model;
        if (model.Type != PieceModelType.Unigram)
            throw new ArgumentException($"llama.cpp's T5 has unigrams; the tokenizer's model is of {model.Type}.");
        var pieces = Enumerable.Range(0, vocabularySize).Select(id => id < model.Pieces.Count ? model.Pieces[id]
            : id < tokenizer.VocabularySize ? new Piece(tokenizer.Token(id), AddedScore, PieceKind.UserDefined)
            : new Piece($"[PAD{id}]", PaddingScore, PieceKind.Unused)).ToList();
        var values = new List<KeyValuePair<string, object>>
        {
            new("tokenizer.ggml.model", "t5"),
            new("tokenizer.ggml.pre", "default"),
            new("tokenizer.ggml.tokens", pieces.Select(piece => piece.Text).ToArray()),
            new("tokenizer.ggml.scores", pieces.Select(piece => (float)piece.Score).ToArray()),
            new("tokenizer.ggml.token_type", pieces.Select(piece => (int)piece.Kind).ToArray()),
            new("tokenizer.ggml.add_space_prefix", model.AddDummyPrefix),
            new("tokenizer.ggml.remove_extra_whitespaces", model.RemoveExtraSpaces),
            new("tokenizer.ggml.add_bos_token", false),
            new("tokenizer.ggml.add_eos_token", true),
        };
        if (model.CharacterMap.Length > 0) values.Add(new("tokenizer.ggml.precompiled_charsmap", model.CharacterMap));
        foreach (var (name, id) in new[]
            { ("unknown", tokenizer.Special.Unknown), ("padding", tokenizer.Special.Padding), ("eos", tokenizer.Special.End) })
            if (id is { } known) values.Add(new($"tokenizer.ggml.{name}_token_id", (int)known));
        return values;
    }

    /// <summary>The values of a file without a tokenizer.</summary>
    internal static IEnumerable<KeyValuePair<string, object>> None => [new("tokenizer.ggml.model", "none")];

    /// <summary>The values that describe a WordPiece tokenizer; those of none where it is null.</summary>
    /// <remarks>llama.cpp marks the starts of words, where BERT's vocabulary marks what follows inside a word.</remarks>
    /// <exception cref="ArgumentException">The tokenizer has another number of tokens than the model.</exception>
    internal static IEnumerable<KeyValuePair<string, object>> Values(WordPieceTokenizer? tokenizer, int vocabularySize)
    {
        if (tokenizer is null) return None;
        CheckSize(tokenizer.VocabularySize, vocabularySize);
        var tokens = Enumerable.Range(0, vocabularySize).Select(id => tokenizer.Token(id)).ToArray();
        var special = tokenizer.Special;
        return
        [
            new("tokenizer.ggml.model", "bert"),
            new("tokenizer.ggml.pre", "default"),
            new("tokenizer.ggml.tokens", tokens.Select(token => IsSpecial(token) ? token
                : token.StartsWith(Inside, StringComparison.Ordinal) ? token[Inside.Length..] : WordStart + token).ToArray()),
            new("tokenizer.ggml.token_type", tokens.Select(token => IsSpecial(token) ? Control : Normal).ToArray()),
            .. new[]
            {
                ("unknown", special.Unknown), ("padding", special.Padding), ("bos", special.Classification),
                ("cls", special.Classification), ("eos", special.Separator), ("seperator", special.Separator),   // spelt so
                ("mask", special.Mask),
            }.Where(pair => pair.Item2 is not null)
                .Select(pair => KeyValuePair.Create($"tokenizer.ggml.{pair.Item1}_token_id", (object)(int)pair.Item2!.Value)),
        ];
    }

    /// <summary>The values that describe a tokenizer; those of none where it is null.</summary>
    /// <exception cref="ArgumentException">The tokenizer has another number of tokens than the model.</exception>
    internal static IEnumerable<KeyValuePair<string, object>> Values(ByteLevelBpeTokenizer? tokenizer, int vocabularySize)
    {
        if (tokenizer is null) return None;
        CheckSize(tokenizer.VocabularySize, vocabularySize);
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

    private static bool IsSpecial(string token) => token.StartsWith('[') && token.EndsWith(']') && token.Length > 2;

    private static void CheckKind(GgufFile file, string expected, string described)
    {
        if (file.Values.GetValueOrDefault("tokenizer.ggml.model") as string is var kind && kind != expected)
            throw new InvalidDataException($"The tokenizer is '{kind ?? "missing"}'; expected {expected}, {described}.");
    }

    private static void CheckSize(int tokens, int model)
    {
        if (tokens != model) throw new ArgumentException($"The tokenizer has {tokens} tokens, the model {model}.");
    }

    private static object[] List(GgufFile file, string name, int count) =>
        file.Values.GetValueOrDefault(name) is object[] values && values.Length == count
            && values.All(value => value is long or double) ? values
            : throw new InvalidDataException($"The file lacks a list {name} of {count} numbers.");

    private static List<string> Texts(GgufFile file, string name) => file.Values.GetValueOrDefault(name) is object[] values
        && values.All(value => value is string) ? [.. values.Cast<string>()]
        : throw new InvalidDataException($"The file lacks a list of texts {name}.");
}
