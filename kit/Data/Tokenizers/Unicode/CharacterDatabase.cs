using System.Globalization;
using ResearchKit.Native;

namespace ResearchKit.Data.Unicode;

/// <summary>What is needed of the Unicode Character Database 14 and what .NET keeps to itself: it is in the assembly.</summary>
internal static class CharacterDatabase
{
    private static readonly List<int> AssignedFirst = [], AssignedLast = [];
    private static readonly Dictionary<int, int> Classes = [];
    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<(int, int), int> Compositions = [];

    static CharacterDatabase()
    {
        using var reader = EmbeddedFile.Open("Unicode14.txt");
        while (reader.ReadLine() is { } line)
        {
            if (line[0] == '#') continue;
            Add(line[0], [.. line[2..].Split(' ')
                .Select(number => int.Parse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture))]);
        }
    }

    public static bool IsAssigned(int point)
    {
        var at = AssignedFirst.BinarySearch(point);
        if (at < 0) at = ~at - 1;
        return at >= 0 && point <= AssignedLast[at];
    }

    /// <summary>Canonical combining class; 0 for what does not combine.</summary>
    public static int CombiningClass(int point) => Classes.GetValueOrDefault(point);

    /// <summary>Canonical decomposition by one step, or nothing.</summary>
    public static int[]? Decomposition(int point) => Decompositions.GetValueOrDefault(point);

    /// <summary>The character that two compose to, or nothing.</summary>
    public static int? Composition(int first, int second) => Compositions.TryGetValue((first, second), out var whole) ? whole
        : null;

    private static void Add(char kind, int[] numbers)
    {
        switch (kind)
        {
            case 'A':
                AssignedFirst.Add(numbers[0]);
                AssignedLast.Add(numbers[1]);
                break;
            case 'C':
                for (var point = numbers[0]; point <= numbers[1]; point++) Classes[point] = numbers[2];
                break;
            default:
                Decompositions[numbers[0]] = numbers[1..];
                if (kind == 'D') Compositions[(numbers[1], numbers[2])] = numbers[0];
                break;
        }
    }
}
