using System.Text;

namespace ResearchKit.Data;

/// <summary>How a file is read as a <see cref="Table"/>. Everything has a default; set what the file does not tell.</summary>
public sealed record TableOptions
{
    /// <summary>Separator between cells of a CSV file; null to detect it: comma, semicolon, tab or bar.</summary>
    public char? Separator { get; init; }

    /// <summary>Whether quotes enclose cells of a CSV file.</summary>
    public bool Quoted { get; init; } = true;

    /// <summary>Names of the columns of a CSV file that has no line of names; null if its first line names them.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>Encoding of a text file; null for UTF-8, or what the byte order mark says.</summary>
    public Encoding? Encoding { get; init; }

    /// <summary>Whether 1,234 is 1.234; null to decide by the other numbers of the file.</summary>
    public bool? DecimalComma { get; init; }

    /// <summary>
    /// Texts that stand for a missing value, besides an empty cell, NA, N/A, NaN, null, None and ? in any case.
    /// </summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>
    /// Format of all dates, such as <c>MM/dd/yyyy</c>; null to detect it. 03/04/2026 alone can be read in two ways and stays a
    /// text.
    /// </summary>
    public string? DateFormat { get; init; }

    /// <summary>Types of columns by name, such as Text for a postal code; the other types are detected.</summary>
    public IReadOnlyDictionary<string, ColumnType> Types { get; init; } = new Dictionary<string, ColumnType>();

    /// <summary>Names of the columns to read; null for all.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Returns whether a cell stands for a missing value.</summary>
    internal bool IsMissing(string cell) => CsvNumbers.IsMissing(cell) || Missing.Contains(cell.Trim());

    /// <summary>Returns the names of the columns to read.</summary>
    /// <exception cref="KeyNotFoundException">A column that is named does not exist; lists those that do.</exception>
    internal IReadOnlyList<string> Chosen(IReadOnlyList<string> existing, string file)
    {
        foreach (var name in (Columns ?? []).Concat(Types.Keys))
            if (!existing.Contains(name))
                throw new KeyNotFoundException($"{file} has no column '{name}'; it has {string.Join(", ", existing)}.");
        return Columns ?? existing;
    }
}
