using Parquet;
using Parquet.Schema;

namespace ResearchKit.Data;

/// <summary>Reads Parquet files: columns of numbers, truth values, dates and texts, missing values included.</summary>
internal static class ParquetTable
{
    private const long LargestExact = 1L << 53;

    public static Table Read(string path, TableOptions options)
    {
        using var file = new ParquetFile(path);
        var names = options.Chosen(file.ColumnNames, file.Name);
        var groups = Enumerable.Range(0, file.GroupCount).Select(group => file.Read(group, names)).ToList();
        var columns = names.Select((name, at) => Whole(name, [.. groups.Select(group => group[at])]));
        return new Table(columns.Select(column => Typed(column, options, file.Name)), file.Name);
    }

    /// <summary>A column of texts may be said to be numbers or dates, and other columns to be texts.</summary>
    private static Column Typed(Column column, TableOptions options, string file) =>
        !options.Types.TryGetValue(column.Name, out var type) || type == column.Type ? column
            : new ColumnReader(options, file, options.DecimalComma).Read(column.Name, column.Texts(), row => $"row {row + 1}");

    /// <summary>Joins parts of a column; if they have different types, as texts.</summary>
    public static Column Whole(string name, IReadOnlyList<Column> parts) => parts.Count switch
    {
        0 => Column.Of(name, Array.Empty<double>()),
        1 => parts[0],
        _ when parts.Any(part => part.Type != parts[0].Type) => Column.Of(name, parts.SelectMany(part => part.Texts())),
        _ => parts[0].Type switch
        {
            ColumnType.Number => Column.Of(name, parts.SelectMany(part => part.Numbers())),
            ColumnType.Boolean => Column.Of(name, parts.SelectMany(part => part.Numbers()).Select(Truth)),
            ColumnType.Date => Column.Of(name, parts.SelectMany(part => part.Dates())),
            _ => Column.Of(name, parts.SelectMany(part => part.Texts())),
        },
    };

    /// <summary>Reads a column of a row group.</summary>
    public static Column Read(ParquetRowGroupReader group, DataField field, string file)
    {
        var name = field.Path.ToString();
        if (field.IsArray || field.MaxRepetitionLevel > 0)
            throw new InvalidDataException($"Column '{name}' of {file} holds lists; expected one value in each row. "
                + $"{nameof(TableOptions)}.{nameof(TableOptions.Columns)} names the columns to read.");
        if (field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>))
            return Column.Of(name, Texts(group, field));
        if (field.ClrType == typeof(bool)) return Column.Of(name, Values<bool>(group, field));
        if (field.ClrType == typeof(DateTime)) return Column.Of(name, Values<DateTime>(group, field));
        if (field.ClrType == typeof(DateOnly))
            return Column.Of(name, Values<DateOnly>(group, field).Select(day => day?.ToDateTime(TimeOnly.MinValue)));
        if (field.ClrType == typeof(Guid)) return Column.Of(name, Values<Guid>(group, field).Select(value => value?.ToString()));
        if (field.ClrType == typeof(long))
            return Exact(name, Values<long>(group, field), value => value is < LargestExact and > -LargestExact);
        if (field.ClrType == typeof(ulong)) return Exact(name, Values<ulong>(group, field), value => value < LargestExact);
        return Column.Of(name, Numbers(group, field) ?? throw new InvalidDataException(
            $"Column '{name}' of {file} holds values of {field.ClrType.Name}; expected numbers, truth values, dates or texts. "
            + $"{nameof(TableOptions)}.{nameof(TableOptions.Columns)} names the columns to read."));
    }

    private static IEnumerable<double>? Numbers(ParquetRowGroupReader group, DataField field) =>
        Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Double => Doubles<double>(group, field, value => value),
            TypeCode.Single => Doubles<float>(group, field, value => value),
            TypeCode.Int32 => Doubles<int>(group, field, value => value),
            TypeCode.UInt32 => Doubles<uint>(group, field, value => value),
            TypeCode.Int16 => Doubles<short>(group, field, value => value),
            TypeCode.UInt16 => Doubles<ushort>(group, field, value => value),
            TypeCode.SByte => Doubles<sbyte>(group, field, value => value),
            TypeCode.Byte => Doubles<byte>(group, field, value => value),
            TypeCode.Decimal => Doubles<decimal>(group, field, value => (double)value),
            _ when field.ClrType == typeof(TimeSpan) => Doubles<TimeSpan>(group, field, value => value.TotalSeconds),
            _ => null,
        };

    /// <summary>Whole numbers; as texts where a number would lose digits.</summary>
    private static Column Exact<T>(string name, T?[] values, Func<T, bool> fits) where T : struct, IConvertible =>
        values.All(value => value is not { } known || fits(known))
            ? Column.Of(name, values.Select(value => value?.ToDouble(null) ?? double.NaN))
            : Column.Of(name, values.Select(value => value?.ToString(null)));

    private static IEnumerable<double> Doubles<T>(ParquetRowGroupReader group, DataField field, Func<T, double> number)
        where T : struct =>
        Values<T>(group, field).Select(value => value is { } known ? number(known) : double.NaN);

    private static T?[] Values<T>(ParquetRowGroupReader group, DataField field) where T : struct
    {
        if (field.IsNullable)
        {
            var values = new T?[group.RowCount];
            group.ReadAsync<T>(field, values.AsMemory(), null, default).AsTask().GetAwaiter().GetResult();
            return values;
        }
        var whole = new T[group.RowCount];
        group.ReadAsync<T>(field, whole.AsMemory(), null, default).AsTask().GetAwaiter().GetResult();
        return [.. whole.Select(value => (T?)value)];
    }

    private static string?[] Texts(ParquetRowGroupReader group, DataField field)
    {
        var texts = new string?[group.RowCount];
        group.ReadAsync(field, texts.AsMemory()!, null, default).AsTask().GetAwaiter().GetResult();
        return texts;
    }

    private static bool? Truth(double value) => double.IsNaN(value) ? null : value > 0;
}

/// <summary>An open Parquet file, of which a row group is read at a time.</summary>
internal sealed class ParquetFile : IDisposable
{
    private readonly FileStream stream;
    private readonly ParquetReader reader;

    /// <exception cref="InvalidDataException">The file is no Parquet file, or damaged.</exception>
    public ParquetFile(string path)
    {
        Name = Path.GetFileName(path);
        stream = File.OpenRead(path);
        try
        {
            reader = ParquetReader.CreateAsync(stream, null, leaveStreamOpen: true, default).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            stream.Dispose();
            throw new InvalidDataException($"{Name} is no Parquet file, or it is damaged: {error.Message}", error);
        }
    }

    public string Name { get; }

    public int GroupCount => reader.RowGroupCount;

    public IReadOnlyList<string> ColumnNames => [.. reader.Schema.GetDataFields().Select(column => column.Path.ToString())];

    /// <summary>Number of rows of a row group.</summary>
    public long RowCount(int group) => reader.RowGroups[group].RowCount;

    /// <summary>Reads columns of a row group.</summary>
    /// <exception cref="InvalidDataException">
    /// The group is damaged, or a column holds something else than single values.
    /// </exception>
    public IReadOnlyList<Column> Read(int group, IReadOnlyList<string> columns)
    {
        var fields = reader.Schema.GetDataFields().ToDictionary(field => field.Path.ToString());
        using var rows = reader.OpenRowGroupReader(group);
        try
        {
            return [.. columns.Select(name => ParquetTable.Read(rows, fields[name], Name))];
        }
        catch (Exception error) when (error is not (InvalidDataException or OutOfMemoryException))
        {
            throw new InvalidDataException($"Row group {group} of {Name} cannot be read: {error.Message}", error);
        }
    }

    public void Dispose()
    {
        reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        stream.Dispose();
    }
}
