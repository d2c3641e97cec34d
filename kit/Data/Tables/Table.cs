using Microsoft.Data.Analysis;

namespace ResearchKit.Data;

/// <summary>A table of typed columns, read from CSV, JSON lines or Parquet, or made of a data frame.</summary>
public sealed class Table
{
    /// <param name="columns">The columns, with different names and the same number of cells.</param>
    /// <param name="name">Name of the table, for messages.</param>
    /// <exception cref="ArgumentException">Two columns have the same name, or different numbers of cells.</exception>
    public Table(IEnumerable<Column> columns, string name = "the table")
    {
        Columns = [.. columns];
        Name = name;
        RowCount = Columns.Count > 0 ? Columns[0].Count : 0;
        foreach (var column in Columns)
            if (column.Count != RowCount)
                throw new ArgumentException($"Column '{column.Name}' of {name} has {column.Count} cells; expected {RowCount}, "
                    + $"as column '{Columns[0].Name}' has.", nameof(columns));
        if (Columns.GroupBy(column => column.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"{name} has {twice.Count()} columns named '{twice.Key}'; expected distinct names.",
                nameof(columns));
    }

    /// <summary>The columns, in the order of the file.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>Number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Name of the table: that of its file.</summary>
    public string Name { get; }

    /// <summary>
    /// Reads a file by the end of its name: .csv and .txt, .tsv and .tab, .jsonl and .ndjson, .json (a list of objects),
    /// .parquet; text files also packed as .gz.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What the file does not tell by itself; null for defaults.</param>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is malformed, or a cell does not have the type of its column; the message names file, line, column and value.
    /// </exception>
    public static Table Read(string path, TableOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var known = options ?? new TableOptions();
        var kind = Path.GetExtension(path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path);
        return kind.ToLowerInvariant() switch
        {
            ".csv" or ".txt" or ".tsv" or ".tab" or ".data" or "" => FromCsv(CsvTable.Read(path, known), known),
            ".jsonl" or ".ndjson" or ".json" => JsonTable.Read(path, known),
            ".parquet" or ".pq" => ParquetTable.Read(path, known),
            _ => throw new InvalidDataException($"{Path.GetFileName(path)} is no table by its name; expected .csv, "
                + ".txt, .tsv, .tab, .jsonl, .ndjson, .json or .parquet."),
        };
    }

    /// <summary>Finds the types of the columns of a table of texts.</summary>
    /// <inheritdoc cref="Read"/>
    public static Table FromCsv(CsvTable table, TableOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        var known = options ?? new TableOptions();
        List<string> names = [.. table.Columns.Select((name, at) =>
            name.Trim() is { Length: > 0 } named ? named : $"column {at + 1}")];
        var reader = new ColumnReader(known, table.Name, known.DecimalComma ?? table.DecimalComma);
        return new Table(known.Chosen(names, table.Name).Select(name =>
        {
            var at = names.IndexOf(name);
            return reader.Read(name, [.. table.Rows.Select(row => row[at])], table.Place);
        }), table.Name);
    }

    /// <summary>Makes a table of a data frame. Whole numbers of more digits than a double holds become texts.</summary>
    public static Table FromDataFrame(DataFrame frame, string name = "the data frame")
    {
        ArgumentNullException.ThrowIfNull(frame);
        return DataFrames.Table(frame, name);
    }

    /// <summary>Returns a column by name.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name; lists those there are.</exception>
    public Column this[string column] => Columns.FirstOrDefault(known => known.Name == column)
        ?? throw new KeyNotFoundException($"{Name} has no column '{column}'; it has "
            + $"{string.Join(", ", Columns.Select(one => one.Name))}.");

    /// <summary>Returns some of the rows, in the order of their numbers; a number may occur more than once.</summary>
    /// <param name="rows">Numbers of rows, from 0.</param>
    public Table Rows(IEnumerable<int> rows)
    {
        int[] chosen = [.. rows];
        return new Table(Columns.Select(column => column.Rows(chosen)), Name);
    }

    /// <summary>Returns the rows that fulfil a condition, which is asked with the number of each.</summary>
    public Table Where(Func<int, bool> keep) => Rows(Enumerable.Range(0, RowCount).Where(keep));

    /// <summary>Returns the rows in which none of these columns, or of all if none is named, has a missing value.</summary>
    public Table WithoutMissing(params string[] columns)
    {
        Column[] asked = columns.Length > 0 ? [.. columns.Select(name => this[name])] : [.. Columns];
        return Where(row => !asked.Any(column => column.IsMissing(row)));
    }

    /// <summary>Returns the table with a column, which takes the place of one of the same name.</summary>
    public Table With(Column column) => Columns.Any(known => known.Name == column.Name)
        ? new Table(Columns.Select(known => known.Name == column.Name ? column : known), Name)
        : new Table([.. Columns, column], Name);

    /// <summary>Returns the table without some columns.</summary>
    /// <exception cref="KeyNotFoundException">There is no column of a name; lists those there are.</exception>
    public Table Without(params string[] columns)
    {
        Column[] gone = [.. columns.Select(name => this[name])];
        return new Table(Columns.Except(gone), Name);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {RowCount:N0} rows"
        + string.Concat(Columns.Select(column => $"\n  {column.Name}: {column.Type}"
            + (column.Missing > 0 ? $", {column.Missing} missing" : "")));
}
