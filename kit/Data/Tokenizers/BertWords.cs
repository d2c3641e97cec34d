using System.Globalization;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>
/// Splits a text into words and punctuation marks as BERT does (Devlin et al., 2018; google-research/bert,
/// tokenization.py).
/// </summary>
/// <remarks>
/// Implemented here because BertTokenizer of Microsoft.ML.Tokenizers 2.0.1 splits differently: it keeps accents
/// if .NET runs without ICU, keeps characters of the categories C other than control characters, and treats
/// currency signs and other symbols as punctuation.
/// </remarks>
internal static class BertWords
{
    private const int FinalSigma = 0x3C2, CapitalSigma = 0x3A3;

    public static IEnumerable<List<int>> Split(List<int> text, WordPieceOptions options)
    {
        var lowerFirst = options.LowerCase && !options.LowerCaseWholeWords;
        var clean = Clean(lowerFirst ? text.SelectMany(CodePoints.Lower) : text, options.SplitIdeographs);
        foreach (var word in AtSpaces(CanonicalForms.Compose(clean)))
            foreach (var part in AtPunctuation(Folded(word, options)))
                yield return part;
    }

    private static IEnumerable<int> Clean(IEnumerable<int> text, bool splitIdeographs)
    {
        foreach (var point in text)
        {
            if (point is '\t' or '\n' or '\r' || CodePoints.IsSpaceSeparator(point)) yield return ' ';
            else if (point == 0xFFFD || CodePoints.IsOther(point)) continue;
            else if (splitIdeographs && IsIdeograph(point))
            {
                yield return ' ';
                yield return point;
                yield return ' ';
            }
            else yield return point;
        }
    }

    private static List<int> Folded(List<int> word, WordPieceOptions options)
    {
        if (options.LowerCase && options.LowerCaseWholeWords) word = LowerWord(word);
        if (!(options.StripAccents ?? options.LowerCase)) return word;
        var bare = CanonicalForms.Decompose(word);
        bare.RemoveAll(CodePoints.IsNonSpacingMark);
        return bare;
    }

    private static IEnumerable<List<int>> AtSpaces(IEnumerable<int> text)
    {
        var word = new List<int>();
        foreach (var point in text)
        {
            if (!CodePoints.IsWhiteSpace(point))
            {
                word.Add(point);
            }
            else if (word.Count > 0)
            {
                yield return word;
                word = [];
            }
        }
        if (word.Count > 0) yield return word;
    }

    private static IEnumerable<List<int>> AtPunctuation(List<int> word)
    {
        for (var start = 0; start < word.Count;)
        {
            var end = start;
            while (end < word.Count && !IsPunctuation(word[end])) end++;
            if (end == start) end++;
            yield return word[start..end];
            start = end;
        }
    }

    public static bool IsPunctuation(int point) =>
        point is >= '!' and <= '/' or >= ':' and <= '@' or >= '[' and <= '`' or >= '{' and <= '~'
            || CodePoints.IsPunctuation(point);

    public static bool IsIdeograph(int point) =>
        point is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF
            or >= 0x2A700 and <= 0x2B73F or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF
            or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;

    private static List<int> LowerWord(List<int> word) =>
        [.. word.SelectMany((point, at) => point == CapitalSigma && EndsWord(word, at) ? [FinalSigma] : CodePoints.Lower(point))];

    /// <summary>
    /// Returns whether a sigma at this index ends a word (the context Final_Sigma of the Unicode Standard, §3.13).
    /// </summary>
    private static bool EndsWord(List<int> word, int at)
    {
        var before = at - 1;
        while (before >= 0 && IsCaseIgnorable(word[before])) before--;
        var after = at + 1;
        while (after < word.Count && IsCaseIgnorable(word[after])) after++;
        return before >= 0 && IsCased(word[before]) && (after == word.Count || !IsCased(word[after]));
    }

    private static bool IsCased(int point) => point is 0xAA or 0xBA or >= 0x2160 and <= 0x217F or >= 0x24B6 and <= 0x24E9
        || CodePoints.Category(point)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool IsCaseIgnorable(int point) =>
        point is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019
            or 0x2024 or 0x2027 or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A
        || CodePoints.Category(point) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;
}
