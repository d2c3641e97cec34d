using System.Runtime.CompilerServices;
using System.Text;

namespace ResearchKit.Data;

/// <summary>
/// A table of strings with named columns, read from a CSV file (RFC 4180) or a tab-separated file.
/// </summary>
/// <param name="Columns">Names of the columns, from the first line.</param>
/// <param name="Rows">The cells of each further line; an empty cell is an empty string.</param>
public sealed record CsvTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    private const int RowsThatDecide = 10_000;   // how its numbers are written

    private StrongBox<bool?>? decimalComma;   // found at the first question

    /// <summary>Reads a table whose first line names the columns.</summary>
    /// <param name="text">
    /// Content of the file. Quoted cells may contain separators, line ends and doubled quotes.
    /// </param>
    /// <param name="separator">Separator between cells.</param>
    /// <param name="quoted">
    /// Whether quotes enclose cells. Tab-separated files often contain quotes as ordinary characters.
    /// </param>
    /// <param name="name">Name of the file, for error messages.</param>
    /// <param name="names">Names of the columns if the first line is a row already; null if it names them.</param>
    /// <exception cref="InvalidDataException">
    /// A line has a wrong number of cells, a quote is not closed, or two columns have the same name; the message
    /// says which line.
    /// </exception>
    public static CsvTable Parse(string text, char separator = ',', bool quoted = true, string name = "the table",
        IReadOnlyList<string>? names = null)
    {
        var lines = CsvLines.Read(text, separator, quoted, name).ToList();
        if (lines.Count == 0)
            throw new InvalidDataException($"{name} is empty; expected a first line that names the columns.");
        var columns = names ?? lines[0].Cells;
        var rows = names is null ? lines[1..] : lines;
        if (columns.GroupBy(column => column, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InvalidDataException($"{name} has {twice.Count()} columns named '{twice.Key}'; "
                + "expected distinct names.");
        foreach (var (number, cells) in rows)
            if (cells.Count != columns.Count)
                throw new InvalidDataException($"{name} has {cells.Count} cells in line {number}; "
                    + $"expected {columns.Count}, one for each column.");
        return new CsvTable(columns, [.. rows.Select(row => row.Cells)])
        {
            Separator = separator,
            Name = name,
            Lines = [.. rows.Select(row => row.Number)],
        };
    }

    /// <summary>Separator between cells, which helps to decide how 1,234 is read as a number.</summary>
    public char Separator
    {
        get;
        init => (field, decimalComma) = (value, null);
    } = ',';

    /// <summary>Name of the file, for messages.</summary>
    internal string Name { get; init; } = "the table";

    /// <summary>Line of each row in the file, from 1.</summary>
    internal IReadOnlyList<int> Lines { get; init; } = [];

    /// <summary>Whether 1,234 is 1.234, as the numbers of the table say; null if nothing does.</summary>
    internal bool? DecimalComma =>
        (decimalComma ??= new StrongBox<bool?>(CsvNumbers.HasDecimalComma(Rows.Take(RowsThatDecide), Separator))).Value;

    /// <summary>Says where a row is.</summary>
    internal string Place(int row) => row < Lines.Count ? $"line {Lines[row]}" : $"row {row + 1}";

    /// <summary>
    /// Reads a file whose first line names the columns: tab-separated if its name ends in .tsv or .tab, otherwise
    /// with the separator of its first line.
    /// </summary>
    /// <param name="path">The file, UTF-8, or another Unicode encoding with a byte order mark; unpacked if it ends in
    /// .gz.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">As for <see cref="Parse"/>.</exception>
    public static CsvTable Read(string path) => Read(path, new TableOptions());

    /// <inheritdoc cref="Read(string)"/>
    internal static CsvTable Read(string path, TableOptions options)
    {
        var text = TextFile.Read(path, options.Encoding);
        return Parse(text, options.Separator ?? CsvLines.Separator(text, path), options.Quoted, Path.GetFileName(path),
            options.Names);
    }

    /// <summary>Returns the index of a column.</summary>
    /// <exception cref="KeyNotFoundException">No column has this name; the message lists the columns.</exception>
    public int IndexOf(string column)
    {
        for (var at = 0; at < Columns.Count; at++)
            if (Columns[at] == column) return at;
        throw new KeyNotFoundException($"There is no column '{column}'; there are {string.Join(", ", Columns)}.");
    }

    /// <summary>Returns the cells of a column as strings.</summary>
    /// <exception cref="KeyNotFoundException">No column has this name; the message lists the columns.</exception>
    public IReadOnlyList<string> Texts(string column)
    {
        var at = IndexOf(column);
        return [.. Rows.Select(row => row[at])];
    }

    /// <summary>
    /// Returns the cells of a column as numbers; NaN for missing values (<see cref="CsvNumbers.IsMissing"/>).
    /// </summary>
    /// <remarks>
    /// Numbers have the form 1234.5, or, in all cells of the column, 1,234.5 (thousands separators) or 1234,5
    /// (decimal comma). In a table separated by semicolons, the comma in 1,234 is a decimal comma, otherwise a
    /// thousands separator.
    /// </remarks>
    /// <exception cref="KeyNotFoundException">
    /// There is no column of that name; the message lists those that exist.
    /// </exception>
    /// <exception cref="InvalidDataException">A cell is not a number; the message names it.</exception>
    public double[] Numbers(string column)
    {
        var cells = Texts(column);
        return CsvNumbers.Parse(cells, DecimalComma) ?? throw new InvalidDataException(NotANumber(column, cells));
    }

    /// <summary>Returns whether every cell of a column is a number or empty.</summary>
    /// <exception cref="KeyNotFoundException">There is no column of that name; lists those there are.</exception>
    public bool IsNumeric(string column) => CsvNumbers.Parse(Texts(column), DecimalComma) is not null;

    /// <summary>
    /// Returns a message that names the first cell of a column that is neither a number nor missing.
    /// </summary>
    internal string NotANumber(string column, IReadOnlyList<string> cells)
    {
        var slips = CsvNumbers.Slips([.. cells.Where(cell => !CsvNumbers.IsMissing(cell)).Select(cell => cell.Trim())]);
        var row = Enumerable.Range(0, cells.Count).First(row => slips.Others.Length == 0
            ? !CsvNumbers.IsMissing(cells[row]) && !CsvNumbers.IsPlain(cells[row]) : cells[row].Trim() == slips.Others[0]);
        return $"{Name}, {Place(row)}: the cell '{cells[row]}' of column '{column}' is no number.";
    }

    /// <inheritdoc/>
    public override string ToString() => $"table of {Rows.Count} rows: {string.Join(", ", Columns)}";
}

/// <summary>Splits the content of a file into lines of cells.</summary>
internal static class CsvLines
{
    /// <summary>
    /// Returns the separator of a text: a tab for a name that ends in .tsv or .tab, else the one that its first line has most of
    /// outside quotes.
    /// </summary>
    public static char Separator(string text, string name)
    {
        var ending = Path.GetExtension(name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name);
        if (ending.ToLowerInvariant() is ".tsv" or ".tab") return '\t';
        var counts = new Dictionary<char, int> { [','] = 0, [';'] = 0, ['\t'] = 0, ['|'] = 0 };
        var inside = false;
        foreach (var letter in text)
        {
            if (letter == '"') inside = !inside;
            else if (!inside && letter is '\r' or '\n') break;
            else if (!inside && counts.TryGetValue(letter, out var count)) counts[letter] = count + 1;
        }
        return counts.MaxBy(pair => pair.Value).Key;
    }

    public static IEnumerable<(int Number, IReadOnlyList<string> Cells)> Read(string text, char separator, bool quoted,
        string name)
    {
        var (at, line) = (text.StartsWith('\uFEFF') ? 1 : 0, 1);
        while (at < text.Length)
        {
            var (cells, first) = (new List<string>(), line);
            do cells.Add(Cell(text, ref at, ref line, separator, quoted, name));
            while (at < text.Length && text[at++] == separator);   // a separator continues the line, a line end ends it
            if (text[at - 1] == '\r' && at < text.Length && text[at] == '\n') at++;
            line++;
            if (cells is not [""]) yield return (first, cells);   // empty lines are skipped
        }
    }

    private static string Cell(string text, ref int at, ref int line, char separator, bool quoted, string name)
    {
        var start = at;
        if (!quoted || at == text.Length || text[at] != '"')
        {
            while (at < text.Length && text[at] != separator && text[at] is not ('\n' or '\r')) at++;
            return text[start..at];
        }
        var (cell, opened) = (new StringBuilder(), line);
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '\n') line++;
            if (text[at] != '"') cell.Append(text[at]);
            else if (at + 1 < text.Length && text[at + 1] == '"') cell.Append(text[++at]);
            else
            {
                at++;
                return at == text.Length || text[at] == separator || text[at] is '\n' or '\r' ? cell.ToString()
                    : throw new InvalidDataException($"{name} continues with '{text[at]}' after a closing quote in line {line}; "
                        + $"expected '{separator}' or a line end.");
            }
        }
        throw new InvalidDataException($"{name} has a quote in line {opened} that is never closed.");
    }
}
