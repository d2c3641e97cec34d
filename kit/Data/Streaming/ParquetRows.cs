namespace ResearchKit.Data;

/// <summary>
/// The rows of Parquet files that need not fit into memory. A row group is read as a whole when one of its rows is asked for,
/// and the last few are kept; rows can be read from any thread.
/// </summary>
/// <remarks>A <see cref="ShuffleBuffer"/> of <see cref="Parts"/> reads each row group about once in an epoch.</remarks>
public sealed class ParquetRows : IDisposable
{
    private readonly List<ParquetFile> files = [];
    private readonly List<(ParquetFile File, int Group, long First)> groups = [];
    private readonly List<(int Group, Table Rows)> kept = [];   // the newest last
    private readonly IReadOnlyList<string>? columns;
    private readonly int groupsInMemory;
    private readonly Lock reading = new();

    /// <param name="paths">The files, with the same columns.</param>
    /// <param name="columns">The columns to read; null for all.</param>
    /// <param name="groupsInMemory">Number of row groups that are kept in memory.</param>
    /// <exception cref="ArgumentException">There is no file.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or lacks a column; the message names it.</exception>
    public ParquetRows(IEnumerable<string> paths, IReadOnlyList<string>? columns = null, int groupsInMemory = 4)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfLessThan(groupsInMemory, 1);
        this.groupsInMemory = groupsInMemory;
        this.columns = columns;
        try
        {
            foreach (var path in paths) Add(new ParquetFile(path));
        }
        catch
        {
            Dispose();
            throw;
        }
        if (files.Count == 0) throw new ArgumentException("There is no file; expected at least one.", nameof(paths));
    }

    /// <summary>Number of rows.</summary>
    public long Count { get; private set; }

    /// <summary>Number of rows of each row group, for a <see cref="ShuffleBuffer"/>.</summary>
    public IReadOnlyList<long> Parts => [.. groups.Select(group => group.File.RowCount(group.Group))];

    /// <summary>Returns rows as a table, in the order of their numbers.</summary>
    /// <param name="numbers">Numbers of rows over all files, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="InvalidDataException">A row group is damaged; the message names it.</exception>
    public Table Rows(IReadOnlyList<long> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        var parts = new List<(Table Rows, int At)>();
        var places = new int[numbers.Count];
        var order = numbers.Select((number, at) => (Group: GroupOf(number), Number: number, At: at)).GroupBy(one => one.Group);
        var first = 0;
        foreach (var group in order)
        {
            var rows = Group(group.Key);
            parts.Add((rows.Rows(group.Select(one => (int)(one.Number - groups[group.Key].First))), first));
            foreach (var one in group) places[one.At] = first++;
        }
        return parts.Count == 1 ? parts[0].Rows.Rows(places) : Joined(parts.Select(part => part.Rows)).Rows(places);
    }

    /// <summary>Makes examples of the rows.</summary>
    /// <param name="batch">
    /// Makes a batch of a table of some rows, on the loader's threads, such as
    /// <c>rows => { var set = features.Apply(rows); return new Batch(set.Features, set.Labels); }</c>.
    /// </param>
    public IExamples Examples(Func<Table, Batch> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new ComputedExamples(Count, numbers => batch(Rows(numbers)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count:N0} rows in {groups.Count} row groups of {files.Count} files";

    private void Add(ParquetFile file)
    {
        files.Add(file);
        foreach (var name in columns ?? files[0].ColumnNames)
            if (!file.ColumnNames.Contains(name))
                throw new InvalidDataException($"{file.Name} has no column '{name}'; it has "
                    + $"{string.Join(", ", file.ColumnNames)}.");
        for (var group = 0; group < file.GroupCount; group++)
        {
            groups.Add((file, group, Count));
            Count += file.RowCount(group);
        }
    }

    private int GroupOf(long number)
    {
        if (number < 0 || number >= Count)
            throw new ArgumentOutOfRangeException(nameof(number), number, $"There are {Count} rows, from 0.");
        var (low, high) = (0, groups.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (groups[middle].First <= number) low = middle;
            else high = middle - 1;
        }
        return low;
    }

    private Table Group(int number)
    {
        lock (reading)
        {
            var at = kept.FindIndex(one => one.Group == number);
            var (file, group, _) = groups[number];
            var found = at >= 0 ? kept[at].Rows : new Table(file.Read(group, columns ?? files[0].ColumnNames), file.Name);
            if (at >= 0) kept.RemoveAt(at);
            else if (kept.Count == groupsInMemory) kept.RemoveAt(0);
            kept.Add((number, found));
            return found;
        }
    }

    private static Table Joined(IEnumerable<Table> parts)
    {
        Table[] all = [.. parts];
        return new Table(all[0].Columns.Select(column => ParquetTable.Whole(column.Name,
            [.. all.Select(part => part[column.Name])])),
            all[0].Name);
    }
}
