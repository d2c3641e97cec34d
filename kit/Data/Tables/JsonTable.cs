using System.Globalization;
using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// Reads JSON lines: an object in each line; and JSON: a list of objects. Objects in objects become columns a.b.
/// </summary>
internal static class JsonTable
{
    public static Table Read(string path, TableOptions options)
    {
        var text = TextFile.Read(path, options.Encoding);
        var name = Path.GetFileName(path);
        var rows = text.AsSpan().TrimStart().StartsWith("[") ? List(text, name) : [.. Lines(text, name)];
        if (rows.Count == 0) throw new InvalidDataException($"{name} is empty; expected an object in each line.");
        var names = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in rows.SelectMany(row => row.Cells.Keys))
            if (known.Add(key)) names.Add(key);
        var reader = new ColumnReader(options, name, decimalComma: options.DecimalComma);
        return new Table(options.Chosen(names, name).Select(column => Column(column, rows, reader, options, name)), name);
    }

    private static Column Column(string column, IReadOnlyList<Row> rows, ColumnReader reader, TableOptions options, string name)
    {
        var kinds = rows.Select((row, at) => (Kind: Kind(row, column, options), at))
            .Where(one => one.Kind is not JsonValueKind.Null).ToList();
        if (kinds.FirstOrDefault(one => one.Kind != kinds[0].Kind) is { Kind: not JsonValueKind.Undefined } other
            && !options.Types.ContainsKey(column))
            throw new InvalidDataException($"{name}, {rows[other.at].Place}: column '{column}' is the {other.Kind} "
                + $"'{rows[other.at].Cells[column]}', but a {kinds[0].Kind} in {rows[kinds[0].at].Place}. "
                + $"If it is text, say so in {nameof(TableOptions)}.{nameof(TableOptions.Types)}.");
        var isText = kinds.Count > 0 && kinds[0].Kind == JsonValueKind.String && !options.Types.ContainsKey(column);
        var cells = rows.Select(row => row.Cells.TryGetValue(column, out var cell) && cell.ValueKind != JsonValueKind.Null
            ? cell.ToString() : null).ToList();
        if (!isText) return reader.Read(column, cells, row => rows[row].Place);
        string?[] texts = [.. cells.Select(cell => cell is null || options.IsMissing(cell) ? null : cell)];
        return DateCells.Parse(texts, options.DateFormat) is { } dates ? Data.Column.Of(column, dates) : Data.Column.Of(column,
            texts);
    }

    /// <summary>Kind of a value: Null for a missing one, True for both truth values.</summary>
    private static JsonValueKind Kind(Row row, string column, TableOptions options) =>
        !row.Cells.TryGetValue(column, out var cell) ? JsonValueKind.Null : cell.ValueKind switch
        {
            JsonValueKind.False => JsonValueKind.True,
            JsonValueKind.String when options.IsMissing(cell.GetString()!) => JsonValueKind.Null,
            var kind => kind,
        };

    private static List<Row> List(string text, string name)
    {
        using var document = Parsed(text, name, 1);
        return [.. document.RootElement.EnumerateArray().Select((item, at) => Flat(item, $"item {at + 1}", name))];
    }

    private static IEnumerable<Row> Lines(string text, string name)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            using var document = Parsed(line, name, number);
            yield return Flat(document.RootElement, string.Create(CultureInfo.InvariantCulture, $"line {number}"), name);
        }
    }

    private static JsonDocument Parsed(string text, string name, int line)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"{name}, line {line + (error.LineNumber ?? 0)}: this is no JSON: {error.Message}",
                error);
        }
    }

    private static Row Flat(JsonElement item, string place, string name)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{name}, {place}: got a JSON {item.ValueKind}; expected an object with a value "
                + "for each column.");
        var cells = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        Add(item, "");
        return new Row(place, cells);

        void Add(JsonElement inside, string prefix)
        {
            foreach (var property in inside.EnumerateObject())
                if (property.Value.ValueKind == JsonValueKind.Object) Add(property.Value, $"{prefix}{property.Name}.");
                else if (!cells.TryAdd(prefix + property.Name, property.Value.Clone()))
                    throw new InvalidDataException($"{name}, {place}: '{prefix}{property.Name}' occurs twice.");
        }
    }

    private sealed record Row(string Place, IReadOnlyDictionary<string, JsonElement> Cells);
}
