using System.Globalization;
using ResearchKit.Native;

namespace ResearchKit.Data.Unicode;

/// <summary>
/// The data of the Unicode Character Database 14 that .NET does not expose; embedded in the assembly.
/// </summary>
internal static class CharacterDatabase
{
    private static readonly List<int> AssignedFirst = [], AssignedLast = [];
    private static readonly Dictionary<int, int> Classes = [];
    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<int, int[]> Compatible = [];
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

    /// <summary>Returns the canonical combining class; 0 for characters that do not combine.</summary>
    public static int CombiningClass(int point) => Classes.GetValueOrDefault(point);

    /// <summary>Returns the canonical decomposition by one step, or null.</summary>
    public static int[]? Decomposition(int point) => Decompositions.GetValueOrDefault(point);

    /// <summary>Returns the compatibility decomposition by one step, or null.</summary>
    public static int[]? CompatibleDecomposition(int point) => Compatible.GetValueOrDefault(point);

    /// <summary>Returns the composition of two characters, or null.</summary>
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
            case 'K':
                Compatible[numbers[0]] = numbers[1..];
                break;
            default:
                Decompositions[numbers[0]] = numbers[1..];
                if (kind == 'D') Compositions[(numbers[1], numbers[2])] = numbers[0];
                break;
        }
    }
}
