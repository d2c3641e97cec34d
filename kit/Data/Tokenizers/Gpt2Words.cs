using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>
/// Splits a text into words as GPT-2 does before merging byte pairs: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|
/// ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <remarks>
/// Implemented here because regular expressions of .NET, which Microsoft.ML.Tokenizers uses, work on UTF-16:
/// they see a letter outside the basic multilingual plane as two surrogates, not as a letter. (The library's
/// own GPT-2 tokenizers also keep the last space of a run of spaces.)
/// </remarks>
internal static class Gpt2Words
{
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    private enum Kind { Space, Letter, Number, Other }

    public static IEnumerable<string> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = End(text, start);
            yield return text[start..end];
            start = end;
        }
    }

    /// <summary>Returns the end of the word that begins at an index.</summary>
    public static int End(string text, int start)
    {
        foreach (var contraction in Contractions)
            if (string.CompareOrdinal(text, start, contraction, 0, contraction.Length) == 0) return start + contraction.Length;
        var after = text[start] == ' ' && start + 1 < text.Length ? start + 1 : start;
        var kind = KindAt(text, after, out _);
        if (kind != Kind.Space) return RunEnd(text, after, kind, out _);

        var end = RunEnd(text, start, Kind.Space, out var last);
        return end == text.Length || last == start ? end : last;   // the last space belongs to the next word
    }

    /// <summary>Returns the end of a run of characters of one kind, and the start of its last character.</summary>
    private static int RunEnd(string text, int start, Kind kind, out int last)
    {
        last = start;
        var at = start;
        while (at < text.Length && KindAt(text, at, out var length) == kind)
        {
            last = at;
            at += length;
        }
        return at;
    }

    private static Kind KindAt(string text, int at, out int length)
    {
        var pair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
        length = pair ? 2 : 1;
        var point = pair ? char.ConvertToUtf32(text[at], text[at + 1]) : text[at];
        return CodePoints.IsWhiteSpace(point) ? Kind.Space : CodePoints.IsLetter(point) ? Kind.Letter
            : CodePoints.IsNumber(point) ? Kind.Number : Kind.Other;
    }
}
