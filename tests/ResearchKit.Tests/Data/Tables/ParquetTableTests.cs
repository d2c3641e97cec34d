using Parquet;
using Parquet.Schema;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class ParquetTableTests : IDisposable
{
    private readonly string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.parquet");

    public void Dispose() => File.Delete(path);

    /// <summary>Two row groups of columns of every kind.</summary>
    private async Task Write(params DataField[] more)
    {
        DataField[] fields = [new DataField<double?>("mass"), new DataField<long>("id"), new DataField<string>("name"),
            new DataField<DateTime?>("when"), new DataField<bool?>("alive"), new DataField<int>("count"), .. more];
        await using var stream = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream, null, false, default);
        foreach (var start in new[] { 0L, 1L << 60 })
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<double>(fields[0], new double?[] { 1.5, null }.AsMemory());
            await group.WriteAsync<long>(fields[1], new[] { start + 1, start + 2 }.AsMemory());
            await group.WriteAsync(fields[2], new[] { "a", null! });
            await group.WriteAsync<DateTime>(fields[3], new DateTime?[] { new(2026, 1, 31, 0, 0, 0, DateTimeKind.Utc),
                null }.AsMemory());
            await group.WriteAsync<bool>(fields[4], new bool?[] { true, null }.AsMemory());
            await group.WriteAsync<int>(fields[5], new[] { 7, 8 }.AsMemory());
            if (more.Length > 0)
                await group.WriteAsync<int>(more[0], new[] { 1, 2, 3 }.AsMemory(), new ReadOnlyMemory<int>([0, 1, 0]));
        }
    }

    [Fact]
    public async Task Columns_of_all_row_groups_are_read_with_their_missing_values()
    {
        await Write();
        var table = Table.Read(path);
        Assert.Equal(4, table.RowCount);
        Assert.Equal([1.5, double.NaN, 1.5, double.NaN], table["mass"].Numbers());
        Assert.Equal(["1", "2", "1152921504606846977", "1152921504606846978"], table["id"].Texts());
        Assert.Equal(["a", null, "a", null], table["name"].Texts());
        Assert.Equal(new DateTime(2026, 1, 31), table["when"].Dates()[2]);
        Assert.Equal([1, double.NaN, 1, double.NaN], table["alive"].Numbers());
        Assert.Equal([7, 8, 7, 8], table["count"].Numbers());
        Assert.Equal(["count"], Table.Read(path, new TableOptions { Columns = ["count"] }).Columns.Select(column => column.Name));
    }

    [Fact]
    public async Task A_damaged_file_and_a_column_of_lists_are_refused_in_words()
    {
        await Write(new DataField("numbers", typeof(int), false, true));
        Assert.Contains("'numbers'", Assert.Throws<InvalidDataException>(() => Table.Read(path)).Message,
            StringComparison.Ordinal);
        Assert.Equal([7, 8, 7, 8], Table.Read(path, new TableOptions { Columns = ["count"] })["count"].Numbers());
        await File.WriteAllTextAsync(path, "PAR1 no table at all");
        Assert.Contains("no Parquet file", Assert.Throws<InvalidDataException>(() => Table.Read(path)).Message,
            StringComparison.Ordinal);
    }
}
