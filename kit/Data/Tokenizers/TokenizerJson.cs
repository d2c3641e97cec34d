using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Reads the file <c>tokenizer.json</c> of Hugging Face's tokenizers.</summary>
internal static class TokenizerJson
{
    public static PretrainedTokenizer Parse(string text, string name, TokenizerSettings? settings = null,
        Func<ChatTemplate?>? chat = null)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 128 });
            return Read(document.RootElement, name, settings ?? TokenizerSettings.None, chat);
        }
        catch (Exception error) when (
            error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{name} does not describe a tokenizer: {error.Message}", error);
        }
    }

    private static PretrainedTokenizer Read(JsonElement root, string name, TokenizerSettings settings, Func<ChatTemplate?>? chat)
    {
        var json = root.Child("model") ?? throw new FormatException("it lacks 'model'.");
        var (model, vocabulary) = Model(json, name);
        var size = vocabulary.Ids.Values.DefaultIfEmpty(-1).Max() + 1;
        var tokens = settings.Complete(root.Items("added_tokens").Select(token => TokenizerSettings.ReadToken(token,
            token.Number("id") ?? throw new FormatException("An added token lacks 'id'."))), token => vocabulary.Find(token),
                size);
        if (tokens.Find(token => token.Id < 0) is { } wrong)
            throw new InvalidDataException($"{name} gives the added token '{wrong.Content}' the id {wrong.Id}; expected 0 or "
                + "more.");
        Func<string, string>? normalize = root.Child("normalizer") is { } normalizer ? TextNormalizers.Read(normalizer, name)
            : null;
        var added = new AddedTokens(tokens, normalize);
        int Find(string token) => added.Find(token)?.Id ?? vocabulary.Find(token);
        var cutting = root.Child("pre_tokenizer");
        return new PretrainedTokenizer(new TokenizerParts
        {
            Name = name,
            Added = added,
            Cutter = cutting is { } cutter ? WordCutters.Read(cutter, name, settings.Config.Flag("add_prefix_space")) : null,
            WritesBytes = cutting is { } words && EndsInBytes(words, name),
            Model = model,
            Vocabulary = vocabulary,
            Template = Template(root, settings, name, Find),
            Decoder = TokenDecoders.Read(root.Child("decoder"), name),
            CleansUp = settings.Config.Flag("clean_up_tokenization_spaces") ?? false,
            Special = settings.Special(Find, json.Text("unk_token")),
            Chat = chat,
        });
    }

    private static (ITokenModel Model, TokenVocabulary Vocabulary) Model(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new FormatException($"'model' is {json.ValueKind}; expected an object.");
        var type = json.Text("type") ?? (json.Child("merges") is not null ? "BPE"
            : json.Child("vocab") is { ValueKind: JsonValueKind.Array } ? "Unigram"
            : json.Child("continuing_subword_prefix") is not null ? "WordPiece" : "WordLevel");
        if (type == "Unigram")
        {
            var unigram = new UnigramModel(json, name);
            return (unigram, unigram.Vocabulary);
        }
        var vocabulary = TokenVocabulary.Read(json, name);
        return type switch
        {
            "BPE" => (new BytePairModel(json, vocabulary, name), vocabulary),
            "WordPiece" => (WordPieceModel.Read(json, vocabulary, name), vocabulary),
            "WordLevel" => (new WordLevelModel(json, vocabulary), vocabulary),
            _ => throw new InvalidDataException($"{name} has a model of type {type}; expected BPE, WordPiece, Unigram or "
                + "WordLevel."),
        };
    }

    /// <summary>Returns whether the last pre-tokenizer writes bytes as symbols.</summary>
    private static bool EndsInBytes(JsonElement cutter, string name)
    {
        if (cutter.Text("type") != "Sequence") return cutter.Text("type") == "ByteLevel";
        var steps = cutter.Items("pretokenizers").ToList();
        for (var at = 0; at < steps.Count - 1; at++)
            if (EndsInBytes(steps[at], name))
                throw new InvalidDataException($"{name} has a ByteLevel before its last pre-tokenizer; expected it as the last.");
        return steps.Count > 0 && EndsInBytes(steps[^1], name);
    }

    private static SequenceTemplate Template(JsonElement root, TokenizerSettings settings, string name, Func<string, int> find)
    {
        var template = SequenceTemplate.Read(root.Child("post_processor"), name);
        if (settings.Config.Flag("add_bos_token") is null && settings.Config.Flag("add_eos_token") is null) return template;
        // transformers writes these flags for tokenizers of Llama's family and takes the template from them.
        if (settings.Config.Text("tokenizer_class")?.StartsWith("Llama", StringComparison.Ordinal) != true) return template;
        var special = settings.Special(find);
        return SequenceTemplate.Around(settings.Config.Flag("add_bos_token") ?? true ? (int?)special.Beginning : null,
            settings.Config.Flag("add_eos_token") ?? false ? (int?)special.End : null);
    }
}
