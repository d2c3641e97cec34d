namespace ResearchKit.Data.Unicode;

/// <summary>
/// The normalization forms NFD, NFC, NFKD and NFKC of Unicode 14 (Unicode Standard Annex 15,
/// https://unicode.org/reports/tr15).
/// </summary>
/// <remarks>
/// <c>string.Normalize</c> cannot be used: if .NET runs without ICU (invariant globalization, as in the kit's
/// kernel and in small containers), it returns every text unchanged.
/// </remarks>
internal static class CanonicalForms
{
    private const int SyllableBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    /// <param name="points">The text.</param>
    /// <param name="compatible">Whether compatibility characters, such as ligatures, are decomposed too.</param>
    public static List<int> Decompose(IEnumerable<int> points, bool compatible = false)
    {
        var result = new List<int>();
        foreach (var point in points) Append(result, point, compatible);
        Reorder(result);
        return result;
    }

    /// <inheritdoc cref="Decompose"/>
    public static List<int> Compose(IEnumerable<int> points, bool compatible = false)
    {
        var source = Decompose(points, compatible);
        var result = new List<int>(source.Count);
        var starter = -1;     // index of the last starter
        var lastClass = -1;   // combining class of the last character after it
        foreach (var point in source)
        {
            var ownClass = CharacterDatabase.CombiningClass(point);
            if (starter >= 0 && lastClass < ownClass && Pair(result[starter], point) is { } whole)
            {
                result[starter] = whole;
                continue;
            }
            if (ownClass == 0) starter = result.Count;
            lastClass = ownClass == 0 ? -1 : ownClass;
            result.Add(point);
        }
        return result;
    }

    private static void Append(List<int> result, int point, bool compatible)
    {
        var syllable = point - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            result.Add(LeadBase + (syllable / (Vowels * Tails)));
            result.Add(VowelBase + (syllable / Tails % Vowels));
            if (syllable % Tails != 0) result.Add(TailBase + (syllable % Tails));
        }
        else if ((CharacterDatabase.Decomposition(point)
            ?? (compatible ? CharacterDatabase.CompatibleDecomposition(point) : null)) is { } parts)
        {
            foreach (var part in parts) Append(result, part, compatible);
        }
        else
        {
            result.Add(point);
        }
    }

    /// <summary>Sorts the combining marks after each starter by combining class (a stable sort).</summary>
    private static void Reorder(List<int> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            if (CharacterDatabase.CombiningClass(points[start]) == 0) continue;
            var end = start + 1;
            while (end < points.Count && CharacterDatabase.CombiningClass(points[end]) != 0) end++;
            if (end - start > 1)
            {
                var marks = points[start..end].OrderBy(CharacterDatabase.CombiningClass).ToList();
                for (var at = start; at < end; at++) points[at] = marks[at - start];
            }
            start = end;
        }
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads && second - VowelBase is >= 0 and < Vowels)
            return SyllableBase + ((((first - LeadBase) * Vowels) + (second - VowelBase)) * Tails);
        if (first - SyllableBase is >= 0 and < Leads * Vowels * Tails && (first - SyllableBase) % Tails == 0
            && second - TailBase is > 0 and < Tails)
            return first + (second - TailBase);
        return CharacterDatabase.Composition(first, second);
    }
}
