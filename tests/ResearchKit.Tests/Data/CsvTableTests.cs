using CsCheck;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class CsvTableTests
{
    [Fact]
    public void Quoted_cells_hold_separators_line_ends_and_quotes()
    {
        var table = CsvTable.Parse("\uFEFFname,remark\r\nAnne,\"a, \"\"b\"\"\nc\"\r\n\"\",\r\n");
        Assert.Equal(["name", "remark"], table.Columns);
        Assert.Equal(2, table.Rows.Count);
        Assert.Equal(["Anne", "a, \"b\"\nc"], table.Rows[0]);
        Assert.Equal(["", ""], table.Rows[1]);
        Assert.Equal(["Anne", ""], table.Texts("name"));
    }

    [Fact]
    public void Whatever_is_written_comes_back()
    {
        var cell = Gen.String[Gen.Char["ab,\"\n\r; é"], 0, 5];
        Gen.Select(Gen.Int[2, 4], Gen.Int[1, 5]).SelectMany((columns, rows) => cell.Array[columns].Array[rows]).Sample(cells =>
        {
            var header = string.Join(',', cells[0].Select((_, at) => $"c{at}"));
            var text = header + "\n" + string.Join('\n', cells.Select(row => string.Join(',', row.Select(value => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))));
            var table = CsvTable.Parse(text);
            Assert.Equal(cells, table.Rows.Select(row => row.ToArray()));
        });
    }

    [Fact]
    public void Cells_without_quotes_and_the_last_empty_cell_are_read()
    {
        Assert.Equal(["1", ""], CsvTable.Parse("a,b\n1,").Rows[0]);
        Assert.Equal(["", "2"], CsvTable.Parse("a,b\n,2\n").Rows[0]);
        Assert.Equal(["x \"y\"", "2"], CsvTable.Parse("a\tb\nx \"y\"\t2\n", '\t').Rows[0]);
        Assert.Equal(["\"open", "2"], CsvTable.Parse("a\tb\n\"open\t2\n", '\t', quoted: false).Rows[0]);
        Assert.Equal(["1"], CsvTable.Parse("a\r1\r").Rows.Select(row => row[0]));
    }

    [Fact]
    public void Numbers_are_typed_and_empty_cells_are_NaN()
    {
        var table = CsvTable.Parse("a,b\n1.5,x\n,y\n-2e3,z");
        Assert.Equal([1.5, double.NaN, -2000], table.Numbers("a"));
        Assert.True(table.IsNumeric("a"));
        Assert.False(table.IsNumeric("b"));
        Assert.Contains("'x'", Assert.Throws<InvalidDataException>(() => table.Numbers("b")).Message, StringComparison.Ordinal);
        Assert.Contains("a, b", Assert.Throws<KeyNotFoundException>(() => table.Numbers("c")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a,b\n1", "line 2")]
    [InlineData("a,b\n1,2\n1,2,3", "3 cells in line 3")]
    [InlineData("a,a\n1,2", "'a'")]
    [InlineData("a,b\n1,\"open\n\n", "line 2")]
    [InlineData("a,b\n\"1\"x,2", "'x'")]
    public void A_malformed_table_says_what_and_where(string text, string said) =>
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => CsvTable.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String[Gen.Char["a,\"\r\n;\t"], 0, 30].Sample(text =>
    {
        try
        {
            Assert.All(CsvTable.Parse(text).Rows, row => Assert.NotEmpty(row));
        }
        catch (InvalidDataException)
        {
        }
    });

    [Theory]
    [InlineData("iris", 150, 4, 3)]
    [InlineData("wine", 178, 13, 3)]
    [InlineData("breast-cancer", 569, 30, 2)]
    [InlineData("spambase", 4601, 57, 2)]
    [InlineData("penguins", 344, 9, 3)]
    public void The_tabular_data_sets_are_read(string name, int rows, int features, int classes)
    {
        using var table = TableSet.Open(name);
        Assert.Equal([rows, features], table.Features.shape);
        Assert.Equal(features, table.FeatureNames.Count);
        Assert.Equal(classes, table.ClassNames.Count);
        Assert.Equal(classes - 1, table.Labels.max().item<long>());
    }

    [Fact]
    public void Texts_become_one_feature_for_each_and_empty_cells_can_be_left_out()
    {
        using var penguins = TableSet.Open("penguins");
        Assert.Contains("island=Torgersen", penguins.FeatureNames);
        using var whole = penguins.WithoutMissing();
        Assert.Equal(333, whole.Count);
        Assert.False(whole.Features.isnan().any().item<bool>());
        Assert.Equal([0L], penguins.Labels[..1].data<long>().ToArray());   // Adelie
        Assert.Equal(39.1f, penguins.Features[0, penguins.FeatureNames.ToList().IndexOf("bill_length_mm")].item<float>());
    }
}
