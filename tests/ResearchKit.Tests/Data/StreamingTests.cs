using Parquet;
using Parquet.Schema;
using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class StreamingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Written(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static Batch Lengths(IReadOnlyList<string> texts) =>
        new(tensor(texts.Select(text => (long)text.Length).ToArray()), zeros(texts.Count));

    [Fact]
    public void Lines_of_many_files_are_found_whatever_their_ends_and_empty_lines()
    {
        using var lines = new TextLines([Written("a.txt", "\uFEFFone\r\n\r\n  \ntwo\n"), Written("empty.txt", "\n"),
            Written("b.txt", string.Join('\n', Enumerable.Range(0, 100).Select(i => new string('ä', i + 1))))]);
        Assert.Equal(102, lines.Count);
        Assert.Equal([2L, 0, 100], lines.Parts);
        Assert.Equal(["one", "two", "ä", "ää"], Enumerable.Range(0, 4).Select(i => lines[i]));
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal(i + 1, lines[i + 2].Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => lines[102]);
    }

    [Fact]
    public void A_line_longer_than_the_read_buffer_is_whole()
    {
        var lengthy = new string('x', 3_000_000);
        using var lines = new TextLines([Written("a.txt", $"a\n{lengthy}\n\nb")]);
        Assert.Equal(3, lines.Count);
        Assert.Equal(lengthy, lines[1]);
        Assert.Equal("b", lines[2]);
    }

    [Fact]
    public void Bad_bytes_bad_json_and_packed_files_are_named_with_their_line()
    {
        var path = Path.Combine(folder, "latin.txt");
        File.WriteAllBytes(path, [.. "a\n\nK"u8, 0xF6, .. "ln\n"u8]);
        using var latin = new TextLines([path]);
        Assert.Contains("latin.txt is not UTF-8: line 3", Assert.Throws<InvalidDataException>(() => latin[1]).Message,
            StringComparison.Ordinal);
        using var json = new TextLines([Written("a.jsonl", "{\"x\":1}\n\n{\"x\":\n")]);
        var examples = json.JsonExamples(values => new Batch(tensor(values.Select(value => value.GetProperty("x").GetInt64())
            .ToArray()), zeros(1)));
        using var batch = examples.Fetch([0]);
        Assert.Equal(1, batch.Inputs.item<long>());
        Assert.StartsWith("a.jsonl, line 3: this is no JSON",
            Assert.Throws<InvalidDataException>(() => examples.Fetch([1])).Message, StringComparison.Ordinal);
        var packed = Path.Combine(folder, "a.txt.gz");
        File.WriteAllBytes(packed, [0x1F, 0x8B, 8, 0]);
        Assert.Contains("a.txt.gz is packed", Assert.Throws<InvalidDataException>(() => new TextLines([packed])).Message,
            StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => new TextLines([path], cancellation: cancelled.Token));
    }

    [Fact]
    public void A_stream_goes_on_exactly_in_the_middle_of_an_epoch()
    {
        using var lines = new TextLines(Enumerable.Range(0, 4).Select(file =>
            Written($"{file}.txt", string.Join('\n', Enumerable.Range(0, 25).Select(i => new string('x', 1 + (25 * file)
                + i))))));
        BatchLoader Loader() => new(lines.Examples(Lengths), new ShuffleBuffer(lines.Parts, batchSize: 4, size: 30), workers: 2);
        List<long> Take(BatchLoader loader, int batches) =>
            [.. loader.Batches().Take(batches).SelectMany(batch => batch.Inputs.data<long>().ToArray())];
        var whole = Take(Loader(), 60);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), whole.Take(100).Order());
        var first = Loader();
        var before = Take(first, 33);
        var second = Loader();
        second.Position = first.Position;
        Assert.Equal(whole, before.Concat(Take(second, 27)));
    }

    [Fact]
    public async Task Rows_of_many_parquet_files_are_read_by_number_with_few_groups_in_memory()
    {
        var field = new DataField<int>("x");
        for (var file = 0; file < 3; file++)
        {
            await using var stream = File.Create(Path.Combine(folder, $"{file}.parquet"));
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream, null, false, default);
            for (var part = 0; part < 2; part++)
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync<int>(field, Enumerable.Range((20 * file) + (10 * part), 10).ToArray().AsMemory());
            }
        }
        var paths = Enumerable.Range(0, 3).Select(file => Path.Combine(folder, $"{file}.parquet"));
        using var rows = new ParquetRows(paths, groupsInMemory: 1);
        Assert.Equal(60, rows.Count);
        Assert.Equal(Enumerable.Repeat(10L, 6), rows.Parts);
        Assert.Equal([59, 0, 25, 1, 24], rows.Rows([59, 0, 25, 1, 24])["x"].Numbers());
        var examples = rows.Examples(table => new Batch(tensor(table["x"].Numbers()), zeros(table.RowCount)));
        var loader = new BatchLoader(examples, new ShuffleBuffer(rows.Parts, 6, size: 8), workers: 3);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => (double)i),
            loader.Batches().Take(10).SelectMany(batch => batch.Inputs.data<double>().ToArray()).Order());
        Assert.Contains("it has x", Assert.Throws<InvalidDataException>(() => new ParquetRows(paths, ["y"])).Message,
            StringComparison.Ordinal);
    }
}
