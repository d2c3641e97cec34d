using System.Globalization;
using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// What the files beside a vocabulary say: <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
/// <c>added_tokens.json</c>.
/// </summary>
internal sealed class TokenizerSettings
{
    private static readonly string[] Roles =
        ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    /// <summary>Names of special tokens by role, for folders that do not say them.</summary>
    private static readonly Dictionary<string, string[]> Usual = new()
    {
        ["bos_token"] = ["<s>", "<bos>", "<|begin_of_text|>", "<|endoftext|>"],
        ["eos_token"] = ["</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"],
        ["unk_token"] = ["<unk>", "[UNK]"],
        ["sep_token"] = ["[SEP]"],
        ["pad_token"] = ["<pad>", "[PAD]"],
        ["cls_token"] = ["[CLS]"],
        ["mask_token"] = ["<mask>", "[MASK]"],
    };

    private readonly Dictionary<string, string?> roles = [];   // null where a file says that there is none
    private readonly List<AddedToken> added = [];

    private TokenizerSettings(JsonElement config) => Config = config;

    /// <summary>The object of <c>tokenizer_config.json</c>; empty if there is none.</summary>
    public JsonElement Config { get; }

    /// <summary>The special tokens by their role, such as <c>bos_token</c>.</summary>
    public IReadOnlyDictionary<string, string> Names => roles.Where(role => role.Value is not null)
        .ToDictionary(role => role.Key, role => role.Value!);

    /// <summary>No files.</summary>
    public static TokenizerSettings None => new(default);

    public static TokenizerSettings Read(string folder)
    {
        var settings = new TokenizerSettings(Json(folder, "tokenizer_config.json"));
        var map = Json(folder, "special_tokens_map.json");
        try
        {
            foreach (var source in new[] { map, settings.Config })
            {
                foreach (var role in Roles)
                    if (source.ValueKind == JsonValueKind.Object && source.TryGetProperty(role, out var value))
                        settings.roles[role] = Content(value);
            }
            settings.ReadAdded(Json(folder, "added_tokens.json"), map);
        }
        catch (Exception error) when (error is FormatException or InvalidOperationException or OverflowException)
        {
            throw new InvalidDataException($"The tokenizer's settings in {folder} are malformed: {error.Message}", error);
        }
        return settings;
    }

    /// <summary>
    /// Adds the tokens of the files to those that are there already; tokens without an id get the next free ones.
    /// </summary>
    /// <param name="tokens">The added tokens of the vocabulary's own file, which count first.</param>
    /// <param name="find">Returns the id of a token of the vocabulary, or -1.</param>
    /// <param name="size">One more than the largest id of the vocabulary.</param>
    public List<AddedToken> Complete(IEnumerable<AddedToken> tokens, Func<string, int> find, int size)
    {
        var result = tokens.ToList();
        var contents = result.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var token in added)
        {
            if (!contents.Add(token.Content)) continue;
            var id = token.Id >= 0 ? token.Id : find(token.Content);
            var next = Math.Max(size, result.Select(other => other.Id + 1).DefaultIfEmpty().Max());
            result.Add(token with { Id = id >= 0 ? id : next });
        }
        return result;
    }

    /// <summary>Returns the ids of the special tokens.</summary>
    /// <param name="find">Returns the id of a token, or -1.</param>
    /// <param name="unknown">The model's unknown token, if it names one.</param>
    public SpecialTokens Special(Func<string, int> find, string? unknown = null)
    {
        return new SpecialTokens
        {
            Padding = Role("pad_token"),
            Unknown = Role("unk_token", unknown),
            Beginning = Role("bos_token"),
            End = Role("eos_token"),
            Classification = Role("cls_token"),
            Separator = Role("sep_token"),
            Mask = Role("mask_token"),
        };

        long? Role(string role, string? first = null)
        {
            var names = roles.TryGetValue(role, out var named) ? named is null ? [] : [named] : first is null ? Usual[role]
                : [first];
            return names.Select(find).Where(id => id >= 0).Select(id => (long?)id).FirstOrDefault();
        }
    }

    internal static AddedToken ReadToken(JsonElement json, int id) => new(json.Text("content")
        ?? throw new FormatException($"The added token {id} lacks 'content'."), id)
    {
        IsSpecial = json.Flag("special") ?? false,
        TakesSpaceBefore = json.Flag("lstrip") ?? false,
        TakesSpaceAfter = json.Flag("rstrip") ?? false,
        IsWholeWord = json.Flag("single_word") ?? false,
        IsNormalized = json.Flag("normalized") ?? !(json.Flag("special") ?? false),
    };

    private void ReadAdded(JsonElement addedTokens, JsonElement map)
    {
        if (Config.Child("added_tokens_decoder") is { } decoder)
            foreach (var entry in decoder.EnumerateObject())
                added.Add(ReadToken(entry.Value, int.Parse(entry.Name, CultureInfo.InvariantCulture)));
        var special = new[] { map, Config }.SelectMany(source => Roles.Select(role => source.Child(role)).OfType<JsonElement>()
            .Concat(source.Child("additional_special_tokens") is { ValueKind: JsonValueKind.Array } more
                ? more.EnumerateArray() : []))
            .Where(token => Content(token) is not null).ToList();
        var names = special.Select(token => Content(token)!).ToHashSet(StringComparer.Ordinal);
        if (addedTokens.ValueKind == JsonValueKind.Object)
            foreach (var entry in addedTokens.EnumerateObject().OrderBy(entry => entry.Value.GetInt32()))
                added.Add(new AddedToken(entry.Name, entry.Value.GetInt32())
                {
                    IsSpecial = names.Contains(entry.Name),
                    IsNormalized = !names.Contains(entry.Name),
                });
        foreach (var token in special)
            added.Add(token.ValueKind == JsonValueKind.Object ? ReadToken(token, -1) with { IsSpecial = true }
                : new AddedToken(token.GetString()!, -1) { IsSpecial = true, TakesSpaceBefore = token.GetString() == "<mask>" });
    }

    private static string? Content(JsonElement token) => token.ValueKind == JsonValueKind.String ? token.GetString()
        : token.ValueKind == JsonValueKind.Object ? token.Text("content") : null;

    internal static JsonElement Json(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path)) return default;
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
}
