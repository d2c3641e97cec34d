using System.Globalization;
using System.Text.Json;
using ResearchKit.Data.Unicode;

namespace ResearchKit.Data;

/// <summary>BERT's normalizer in <c>tokenizer.json</c>.</summary>
internal sealed class BertNormalizer(bool cleanText, bool splitIdeographs, bool? stripAccents, bool lowerCase)
{
    public BertNormalizer(JsonElement json) : this(json.Flag("clean_text") ?? true, json.Flag("handle_chinese_chars") ?? true,
        json.Flag("strip_accents"), json.Flag("lowercase") ?? true)
    {
    }

    public string Normalize(string text)
    {
        var points = cleanText ? Clean(CodePoints.Of(text)) : CodePoints.Of(text);
        if (splitIdeographs && points.Exists(BertWords.IsIdeograph))
            points = [.. points.SelectMany(point => BertWords.IsIdeograph(point) ? [' ', point, ' '] : (int[])[point])];
        if (stripAccents ?? lowerCase)
        {
            points = CanonicalForms.Decompose(points);
            points.RemoveAll(CodePoints.IsNonSpacingMark);
        }
        return CodePoints.Text(lowerCase ? points.SelectMany(CodePoints.Lower) : points);
    }

    private static List<int> Clean(List<int> points)
    {
        var result = new List<int>(points.Count);
        foreach (var point in points)
        {
            if (point is '\t' or '\n' or '\r') result.Add(' ');
            else if (point is not (0 or 0xFFFD) && !IsDropped(point))
                result.Add(CodePoints.IsWhiteSpace(point) ? ' ' : point);
        }
        return result;
    }

    /// <summary>Returns whether the category begins with C; characters that Unicode has not assigned are kept here.</summary>
    private static bool IsDropped(int point) => CharUnicodeInfo.GetUnicodeCategory(point) is UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse;
}
