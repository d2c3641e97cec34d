using System.Globalization;

namespace ResearchKit.Data;

/// <summary>What the cells of a column are.</summary>
public enum ColumnType
{
    /// <summary>Numbers; NaN where a value is missing.</summary>
    Number,

    /// <summary>True or false, yes or no.</summary>
    Boolean,

    /// <summary>Points in time.</summary>
    Date,

    /// <summary>Texts.</summary>
    Text,
}

/// <summary>A named column of one type. Every cell has a value or is missing.</summary>
public sealed class Column
{
    private readonly double[]? numbers;     // of Number and Boolean
    private readonly DateTime?[]? dates;
    private readonly string?[]? texts;
    private readonly (string No, string Yes) words = ("false", "true");

    private Column(string name, ColumnType type, double[]? numbers = null, DateTime?[]? dates = null, string?[]? texts = null,
        (string No, string Yes)? words = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
        Type = type;
        this.numbers = numbers;
        this.dates = dates;
        this.texts = texts;
        this.words = words ?? this.words;
        Count = numbers?.Length ?? dates?.Length ?? texts!.Length;
    }

    /// <summary>Makes a column of numbers; NaN is a missing value.</summary>
    public static Column Of(string name, IEnumerable<double> numbers) => new(name, ColumnType.Number, numbers: [.. numbers]);

    /// <summary>Makes a column of truth values; null is a missing value.</summary>
    public static Column Of(string name, IEnumerable<bool?> values) => Of(name, values, ("false", "true"));

    /// <summary>Makes a column of points in time; null is a missing value.</summary>
    public static Column Of(string name, IEnumerable<DateTime?> dates) => new(name, ColumnType.Date, dates: [.. dates]);

    /// <summary>Makes a column of texts; null is a missing value.</summary>
    public static Column Of(string name, IEnumerable<string?> texts) => new(name, ColumnType.Text, texts: [.. texts]);

    /// <param name="name">Name of the column.</param>
    /// <param name="values">The values; null is a missing value.</param>
    /// <param name="words">The texts of false and true.</param>
    internal static Column Of(string name, IEnumerable<bool?> values, (string No, string Yes) words) => new(name,
        ColumnType.Boolean, numbers: [.. values.Select(value => value is { } known ? (known ? 1 : 0) : double.NaN)],
            words: words);

    /// <summary>Name of the column.</summary>
    public string Name { get; }

    /// <summary>What the cells are.</summary>
    public ColumnType Type { get; }

    /// <summary>Number of cells.</summary>
    public int Count { get; }

    /// <summary>Number of cells without a value.</summary>
    public int Missing => Enumerable.Range(0, Count).Count(IsMissing);

    /// <summary>Returns whether a cell has no value.</summary>
    public bool IsMissing(int row) => numbers is not null ? double.IsNaN(numbers[row])
        : dates is not null ? dates[row] is null : texts![row] is null;

    /// <summary>
    /// Returns the cells as numbers: true is 1, false is 0, a point in time is its number of days since 1970-01-01; NaN for a
    /// missing value.
    /// </summary>
    /// <exception cref="InvalidOperationException">The column holds texts.</exception>
    public double[] Numbers() => numbers is not null ? [.. numbers]
        : dates is not null ? [.. dates.Select(date => date is { } day ? (day - DateTime.UnixEpoch).TotalDays : double.NaN)]
        : throw new InvalidOperationException($"Column '{Name}' holds texts, such as "
            + $"'{texts!.FirstOrDefault(text => text is not null)}'; "
            + "expected numbers, truth values or dates.");

    /// <summary>Returns the cells as points in time; null for a missing value.</summary>
    /// <exception cref="InvalidOperationException">The column holds no dates.</exception>
    public IReadOnlyList<DateTime?> Dates() => dates is not null ? [.. dates]
        : throw new InvalidOperationException($"Column '{Name}' holds {Type} values, such as "
            + $"'{Texts().FirstOrDefault(text => text is not null)}'; expected dates. "
            + $"{nameof(TableOptions)}.{nameof(TableOptions.DateFormat)} names the format of dates that cannot be told apart.");

    /// <summary>Returns the cells as texts, numbers with a decimal point; null for a missing value.</summary>
    public IReadOnlyList<string?> Texts() => Type switch
    {
        ColumnType.Text => [.. texts!],
        ColumnType.Date => [.. dates!.Select(date => date?.ToString(date.Value.TimeOfDay == default ? "yyyy-MM-dd" : "s",
            CultureInfo.InvariantCulture))],
        ColumnType.Boolean => [.. numbers!.Select(value => double.IsNaN(value) ? null : value > 0 ? words.Yes : words.No)],
        _ => [.. numbers!.Select(value => double.IsNaN(value) ? null : value.ToString("R", CultureInfo.InvariantCulture))],
    };

    /// <summary>Returns a column of some of the cells, in the order of the rows.</summary>
    public Column Rows(IReadOnlyList<int> rows) => new(Name, Type, numbers is null ? null : [.. rows.Select(row => numbers[row])],
        dates is null ? null : [.. rows.Select(row => dates[row])], texts is null ? null : [.. rows.Select(row => texts[row])],
            words);

    /// <summary>Returns the same cells under another name.</summary>
    public Column Named(string name) => new(name, Type, numbers, dates, texts, words);

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type}, {Count} cells{(Missing > 0 ? $", {Missing} missing" : "")}";
}
