using System.Text;
using System.Text.Json;
using ResearchKit.Data.SentencePieces;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>The normalizers of <c>tokenizer.json</c> (huggingface/tokenizers, normalizers/).</summary>
internal static class TextNormalizers
{
    /// <param name="json">The object of a normalizer.</param>
    /// <param name="name">The file, for error messages.</param>
    public static Func<string, string> Read(JsonElement json, string name)
    {
        var type = json.Text("type");
        switch (type)
        {
            case "Sequence":
                var steps = json.Items("normalizers").Select(step => Read(step, name)).ToArray();
                return text => steps.Aggregate(text, (so, step) => step(so));
            case "NFC": return Nfc;
            case "NFD": return Beyond(0xC0, points => CanonicalForms.Decompose(points));
            case "NFKC": return Beyond(0xA0, points => CanonicalForms.Compose(points, compatible: true));
            case "NFKD": return Beyond(0xA0, points => CanonicalForms.Decompose(points, compatible: true));
            case "Lowercase": return Lower;
            case "StripAccents": return Beyond(0x300, points => points.FindAll(point => !CodePoints.IsNonSpacingMark(point)));
            case "Strip":
                var (left, right) = (json.Flag("strip_left") ?? true, json.Flag("strip_right") ?? true);
                return text => Trimmed(text, left, right);
            case "Prepend":
                var prefix = json.Text("prepend") ?? "";
                return text => text.Length == 0 ? text : prefix + text;
            case "Replace": return Replacing(json, name);
            case "BertNormalizer": return new BertNormalizer(json).Normalize;
            case "Precompiled": return Precompiled(json, name);
            case "Nmt": return Beyond(0, Nmt);
            case "ByteLevel": return text => ByteSymbols.Write(Encoding.UTF8.GetBytes(text));
            default:
                throw new InvalidDataException($"{name} has a normalizer of type '{type}'; expected Sequence, NFC, NFD, NFKC, "
                    + "NFKD, "
                    + "Lowercase, StripAccents, Strip, Prepend, Replace, BertNormalizer, Precompiled, Nmt or ByteLevel.");
        }
    }

    /// <summary>Composes characters and their marks.</summary>
    public static Func<string, string> Nfc { get; } = Beyond(0x300, points => CanonicalForms.Compose(points));

    /// <summary>Returns how strings are replaced by <c>pattern</c> and <c>content</c>, in a normalizer or a decoder.</summary>
    public static Func<string, string> Replacing(JsonElement json, string name)
    {
        var content = json.Text("content") ?? "";
        var pattern = json.Child("pattern") ?? throw new FormatException("A Replace lacks 'pattern'.");
        if (pattern.Text("String") is { } literal)
            return literal.Length == 0 ? text => text : text => text.Replace(literal, content, StringComparison.Ordinal);
        var compiled = new TokenPattern(pattern.Text("Regex")
            ?? throw new FormatException("A pattern is neither String nor Regex."), name);
        return text => compiled.Replace(text, content);
    }

    /// <summary>Applies a change only to texts with a character from a limit on; the change leaves others as they are.</summary>
    private static Func<string, string> Beyond(int limit, Func<List<int>, List<int>> change) =>
        text => limit > 0 && text.AsSpan().IndexOfAnyExceptInRange('\0', (char)(limit - 1)) < 0 ? text
            : CodePoints.Text(change(CodePoints.Of(text)));

    private static string Lower(string text) => text.AsSpan().IndexOfAnyExceptInRange('\0', '\x7F') < 0 ? text.ToLowerInvariant()
        : CodePoints.Text(CodePoints.Of(text).SelectMany(CodePoints.Lower));

    private static string Trimmed(string text, bool left, bool right)
    {
        var start = 0;
        var end = text.Length;
        while (left && start < end && CodePoints.IsWhiteSpace(text[start])) start++;
        while (right && end > start && CodePoints.IsWhiteSpace(text[end - 1])) end--;
        return text[start..end];
    }

    private static Func<string, string> Precompiled(JsonElement json, string name)
    {
        var bytes = Convert.FromBase64String(json.Text("precompiled_charsmap") ?? "");
        if (bytes.Length == 0) return text => text;
        var map = new CharacterMap(bytes, name);
        return text => Mapped(text, map);
    }

    /// <summary>Replaces each grapheme of less than six bytes, or else each character, that a rule begins.</summary>
    private static string Mapped(string text, CharacterMap map)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var length = System.Globalization.StringInfo.GetNextTextElementLength(text, at);
            var grapheme = Encoding.UTF8.GetBytes(text, at, length);
            if (grapheme.Length < 6 && map.Match(grapheme, shortest: true) is { Length: > 0 } whole)
                result.Append(Encoding.UTF8.GetString(whole.Replacement.Span));
            else
                foreach (var rune in text.AsSpan(at, length).EnumerateRunes())
                {
                    var match = map.Match(Encoding.UTF8.GetBytes(rune.ToString()), shortest: true);
                    if (match.Length > 0) result.Append(Encoding.UTF8.GetString(match.Replacement.Span));
                    else result.Append(rune.ToString());
                }
            at += length;
        }
        return result.ToString();
    }

    private static List<int> Nmt(List<int> points) =>
        [.. points.Where(point => point is not (>= 1 and <= 8 or 0xB or >= 0xE and <= 0x1F
        or 0x7F or 0x8F or 0x9F)).Select(point => point is 9 or 0xA or 0xC or 0xD or 0x1680 or >= 0x200B and <= 0x200F or 0x2028
        or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD ? ' ' : point)];
}
