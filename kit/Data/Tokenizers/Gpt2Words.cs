using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>
/// How GPT-2 cuts a text before byte pairs are merged:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <remarks>
/// Written out because .NET's expressions, which Microsoft.ML.Tokenizers uses, see UTF-16: a letter outside the basic plane is
/// two surrogates to them, and no letter. (The library's own GPT-2 tokenizers further keep the last space of a run of spaces.)
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

    private static int End(string text, int start)
    {
        foreach (var contraction in Contractions)
            if (string.CompareOrdinal(text, start, contraction, 0, contraction.Length) == 0) return start + contraction.Length;
        var after = text[start] == ' ' && start + 1 < text.Length ? start + 1 : start;
        var kind = KindAt(text, after, out _);
        if (kind != Kind.Space) return RunEnd(text, after, kind, out _);

        var end = RunEnd(text, start, Kind.Space, out var last);
        return end == text.Length || last == start ? end : last;   // the last space goes to the word behind it
    }

    /// <summary>Where a run of one kind ends, and where its last character begins.</summary>
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
