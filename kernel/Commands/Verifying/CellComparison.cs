using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>The comparison of a cell's committed outputs with those of this run.</summary>
/// <param name="Differences">The lines of the report about this cell; empty if nothing differs.</param>
/// <param name="Largest">The pair of numbers with the largest relative difference.</param>
internal sealed record CellComparison(IReadOnlyList<string> Differences, NumberDifference? Largest)
{
    private const int Width = 110;

    public static CellComparison Of(NotebookCell committed, NotebookCell now, Tolerance tolerance)
    {
        var (before, after) = (OutputParts.Of(committed), OutputParts.Of(now));
        if (!before.Select(part => part.Kind).SequenceEqual(after.Select(part => part.Kind)))
            return new CellComparison([$"  committed  {Kinds(before)}", $"  now        {Kinds(after)}", .. Errors(after)], null);
        var (lines, largest) = (new List<string>(), (NumberDifference?)null);
        foreach (var (one, other) in before.Zip(after))
        {
            if (one.Text is null || other.Text is null)
            {
                if (!one.IsRoughlyAsLargeAs(other))
                    lines.Add($"  {one.Kind}: {one.Size:N0} characters, now {other.Size:N0}: not even roughly as large");
                continue;
            }
            var comparison = TextComparison.Of(one.Text, other.Text, tolerance);
            largest = NumberDifference.Larger(largest, comparison.Largest);
            if (comparison.Differing > 0) lines.AddRange(Told(one.Kind, comparison, tolerance));
        }
        return new CellComparison(lines, largest);
    }

    private static IEnumerable<string> Told(string kind, TextComparison comparison, Tolerance tolerance)
    {
        var more = comparison.Differing == 1 ? "1 line differs" : $"{comparison.Differing:N0} lines differ";
        yield return $"  {kind}: {more}";
        foreach (var line in comparison.Lines)
        {
            var (committed, now) = Cut(line.Committed ?? "(no such line)", line.Now ?? "(no such line)");
            yield return $"    line {line.Number}, committed  {committed}";
            yield return $"    {new string(' ', $"line {line.Number},".Length)} now        {now}";
        }
        if (comparison.Largest is { Relative: > 0 } largest)
            yield return FormattableString.Invariant($"    largest relative difference {largest}; allowed {tolerance.Relative}");
    }

    private static string Kinds(List<OutputPart> parts) =>
        parts.Count == 0 ? "no output" : string.Join(", ", parts.Select(part => part.Kind));

    private static IEnumerable<string> Errors(List<OutputPart> parts) =>
        parts.Where(part => part.Kind == "error").Select(part => $"             {part.Text}");

    /// <summary>Shortens two long lines to the part around the first difference.</summary>
    private static (string, string) Cut(string one, string other)
    {
        var same = one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
        var start = Math.Max(one.Length, other.Length) <= Width ? 0 : Math.Max(0, same - (Width / 3));
        return (Piece(one, start), Piece(other, start));
    }

    private static string Piece(string line, int start)
    {
        var piece = line[Math.Min(start, line.Length)..];
        return (start > 0 ? "…" : "") + (piece.Length > Width ? $"{piece[..Width]}…" : piece);
    }
}
