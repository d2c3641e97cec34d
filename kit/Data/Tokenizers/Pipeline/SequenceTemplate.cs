using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>Where the special tokens of a model go around one or two texts; a post-processor of <c>tokenizer.json</c>.</summary>
internal sealed class SequenceTemplate
{
    private readonly IReadOnlyList<Part> single, pair;

    private SequenceTemplate(IReadOnlyList<Part> single, IReadOnlyList<Part> pair)
    {
        this.single = single;
        this.pair = pair;
    }

    /// <summary>The texts alone.</summary>
    public static SequenceTemplate None { get; } = new([new(0, 0, [])], [new(0, 0, []), new(1, 1, [])]);

    /// <param name="json">The object of a post-processor; null for none.</param>
    /// <param name="name">The file, for error messages.</param>
    public static SequenceTemplate Read(JsonElement? json, string name)
    {
        if (json is not { } found) return None;
        var type = found.Text("type");
        switch (type)
        {
            case "ByteLevel": return None;      // changes offsets only
            case "BertProcessing":
                {
                    var (start, end) = (Special(found, "cls"), Special(found, "sep"));
                    return new([start, new(0, 0, []), end], [start, new(0, 0, []), end, new(1, 1, []), end with { Type = 1 }]);
                }
            case "RobertaProcessing":
                {
                    var (start, end) = (Special(found, "cls"), Special(found, "sep"));
                    return new([start, new(0, 0, []), end], [start, new(0, 0, []), end, end, new(1, 0, []), end]);
                }
            case "TemplateProcessing": return new(Template(found, "single"), Template(found, "pair"));
            case "Sequence":
                var steps = found.Items("processors").Select(step => Read(step, name)).Where(step => step != None).ToList();
                return steps.Count <= 1 ? steps.FirstOrDefault(None) : throw new InvalidDataException(
                    $"{name} adds special tokens in {steps.Count} post-processors; expected one.");
            default:
                throw new InvalidDataException($"{name} has a post-processor of type '{type}'; expected TemplateProcessing, "
                    + "BertProcessing, RobertaProcessing, ByteLevel or Sequence.");
        }
    }

    /// <summary>Returns the template with other special tokens around each text.</summary>
    public static SequenceTemplate Around(int? start, int? end)
    {
        Part[] before = start is { } first ? [new(-1, 0, [first])] : [];
        Part[] after = end is { } last ? [new(-1, 0, [last])] : [];
        return new([.. before, new(0, 0, []), .. after],
            [.. before, new(0, 0, []), .. after, .. before.Select(part => part with { Type = 1 }), new(1, 1, []),
                .. after.Select(part => part with { Type = 1 })]);
    }

    /// <summary>Returns the number of special tokens around one or two texts.</summary>
    public int Added(bool isPair) => (isPair ? pair : single).Sum(part => part.Ids.Length);

    public TokenSequence Fill(IReadOnlyList<long> first, IReadOnlyList<long>? second)
    {
        var ids = new List<long>();
        var types = new List<long>();
        foreach (var (text, type, special) in second is null ? single : pair)
        {
            ids.AddRange(text switch { 0 => first, 1 => second ?? [], _ => special.Select(id => (long)id) });
            while (types.Count < ids.Count) types.Add(type);
        }
        return new TokenSequence([.. ids], [.. types], [.. ids.Select(_ => 1L)]);
    }

    private static Part Special(JsonElement json, string property) =>
        json.Child(property) is { ValueKind: JsonValueKind.Array } entry
        && entry.GetArrayLength() == 2 ? new(-1, 0, [entry[1].GetInt32()])
        : throw new FormatException($"'{property}' is not a token with its id.");

    private static List<Part> Template(JsonElement json, string property)
    {
        var parts = new List<Part>();
        foreach (var entry in json.Items(property))
        {
            if (entry.Child("Sequence") is { } sequence)
                parts.Add(new(sequence.Text("id") == "B" ? 1 : 0, sequence.Number("type_id") ?? 0, []));
            else if (entry.Child("SpecialToken") is { } special && special.Text("id") is { } token)
                parts.Add(new(-1, special.Number("type_id") ?? 0, [.. (json.Child("special_tokens")?.Child(token)
                    ?? throw new FormatException($"'special_tokens' lacks '{token}'.")).Items("ids")
                        .Select(id => id.GetInt32())]));
            else throw new FormatException($"'{property}' has an entry that is neither Sequence nor SpecialToken.");
        }
        return parts;
    }

    /// <summary>One of the texts (0 or 1), or special tokens (-1), with their token type.</summary>
    private readonly record struct Part(int Text, int Type, int[] Ids);
}
