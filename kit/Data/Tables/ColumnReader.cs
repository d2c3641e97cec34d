namespace ResearchKit.Data;

/// <summary>Finds the type of a column of texts and reads its cells.</summary>
/// <param name="options">What the user said about the file.</param>
/// <param name="file">Name of the file, for messages.</param>
/// <param name="decimalComma">Whether 1,234 is 1.234; null to decide by the column.</param>
internal sealed class ColumnReader(TableOptions options, string file, bool? decimalComma)
{
    private static readonly (string No, string Yes)[] Words = [("false", "true"), ("no", "yes")];

    /// <param name="name">Name of the column.</param>
    /// <param name="cells">The cells; null is a missing value.</param>
    /// <param name="place">Says where a row is, such as <c>line 4</c>.</param>
    /// <exception cref="InvalidDataException">A cell does not have the type of its column; the message names it.</exception>
    public Column Read(string name, IReadOnlyList<string?> cells, Func<int, string> place)
    {
        var texts = cells.Select(cell => cell is null || options.IsMissing(cell) ? null : cell.Trim()).ToArray();
        if (options.Types.TryGetValue(name, out var wanted))
            return wanted == ColumnType.Text ? Column.Of(name, texts) : As(name, texts, wanted)
                ?? throw new InvalidDataException($"{file}, {place(FirstUnfit(name, texts, wanted))}: the cell "
                    + $"'{texts[FirstUnfit(name, texts, wanted)]}' of column '{name}' is not a {wanted} value, "
                    + "which it was said to be.");
        foreach (var type in new[] { ColumnType.Number, ColumnType.Boolean, ColumnType.Date })
            if (As(name, texts, type) is { } column) return column;
        RefuseSlips(name, texts, place);
        return Column.Of(name, texts);
    }

    private Column? As(string name, string?[] texts, ColumnType type) => type switch
    {
        ColumnType.Number => CsvNumbers.Parse([.. texts.Select(text => text ?? "")], decimalComma) is { } numbers
            && !LosesDigits(texts, numbers) ? Column.Of(name, numbers) : null,
        ColumnType.Boolean => Truths(name, texts),
        _ => DateCells.Parse(texts, options.DateFormat) is { } dates ? Column.Of(name, dates) : null,
    };

    private static Column? Truths(string name, string?[] texts)
    {
        foreach (var (no, yes) in Words)
        {
            bool Is(string? text, string word) => string.Equals(text, word, StringComparison.OrdinalIgnoreCase);
            if (!texts.All(text => text is null || Is(text, no) || Is(text, yes))) continue;
            return Column.Of(name, texts.Select(text => text is null ? (bool?)null : Is(text, yes)),
                (texts.FirstOrDefault(text => Is(text, no)) ?? no, texts.FirstOrDefault(text => Is(text, yes)) ?? yes));
        }
        return null;
    }

    /// <summary>Whether a column is one of identifiers of more digits than a number holds.</summary>
    private static bool LosesDigits(string?[] texts, double[] numbers)
    {
        for (var row = 0; row < numbers.Length; row++)
            if (Math.Abs(numbers[row]) > 1L << 53 && texts[row]!.All(char.IsAsciiDigit)) return true;
        return false;
    }

    private int FirstUnfit(string name, string?[] texts, ColumnType type) => Enumerable.Range(0, texts.Length)
        .FirstOrDefault(row => texts[row] is not null && As(name, [texts[row]], type) is null);

    /// <summary>Refuses a column of numbers in which a few cells are none.</summary>
    private void RefuseSlips(string name, string?[] texts, Func<int, string> place)
    {
        var present = texts.Where(text => text is not null).Select(text => text!).ToList();
        var (slips, count) = CsvNumbers.Slips(present);
        if (slips.Length > TableSet.MostSlips || 2 * count <= present.Count) return;
        var odd = slips.Length > 0 ? slips[0] : present.Find(cell => !CsvNumbers.IsPlain(cell));   // or another format
        if (odd is null) return;
        throw new InvalidDataException($"{file}, {place(Array.IndexOf(texts, odd))}: the cell '{odd}' of column '{name}' is "
            + $"{(slips.Length > 0 ? "no number" : "written unlike the other numbers")}. {count} of its "
            + $"{present.Count} cells are numbers. If it means a missing value, name it in "
            + $"{nameof(TableOptions)}.{nameof(TableOptions.Missing)}; if the column is text, say so in "
            + $"{nameof(TableOptions)}.{nameof(TableOptions.Types)}.");
    }
}
