using CsCheck;
using ResearchKit.Data;
using static TorchSharp.torch;

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
    public void Any_quoted_cells_are_parsed_unchanged()
    {
        var cell = Gen.String[Gen.Char["ab,\"\n\r; é"], 0, 5];
        Gen.Select(Gen.Int[2, 4], Gen.Int[1, 5]).SelectMany((columns, rows) => cell.Array[columns].Array[rows]).Sample(cells =>
        {
            var header = string.Join(',', cells[0].Select((_, at) => $"c{at}"));
            var text = header + "\n"
                + string.Join('\n', cells.Select(row =>
                string.Join(',', row.Select(value => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))));
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
    public void Numeric_columns_are_parsed_and_empty_cells_are_NaN()
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
    public void A_malformed_table_is_refused_with_reason_and_place(string text, string said) =>
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
    public void Text_columns_are_one_hot_encoded_and_rows_with_empty_cells_can_be_dropped()
    {
        using var penguins = TableSet.Open("penguins");
        Assert.Contains("island=Torgersen", penguins.FeatureNames);
        using var whole = penguins.WithoutMissing();
        Assert.Equal(333, whole.Count);
        Assert.False(whole.Features.isnan().any().item<bool>());
        Assert.Equal([0L], penguins.Labels[..1].data<long>().ToArray());   // Adelie
        Assert.Equal(39.1f, penguins.Features[0, penguins.FeatureNames.ToList().IndexOf("bill_length_mm")].item<float>());
    }

    [Theory]
    [InlineData("mass,y\n3750,A\nNA,A\n4100,B\n", ',', new[] { 3750, double.NaN, 4100 })]
    [InlineData("age,y\n63,0\n?,1\n41,0\n", ',', new[] { 63, double.NaN, 41 })]
    [InlineData("a,y\n1,0\nnull,1\n n/a ,0\n", ',', new[] { 1, double.NaN, double.NaN })]
    [InlineData("a;y\n1,5;x\n3;z\n1.003,25;z\n", ';', new[] { 1.5, 3, 1003.25 })]
    [InlineData("a;y\n1,234;x\n0,5;z\n", ';', new[] { 1.234, 0.5 })]
    [InlineData("price,y\n\"1,234\",0\n\"2,000.5\",1\n7,1\n", ',', new[] { 1234, 2000.5, 7 })]
    public void Common_notations_of_numbers_and_missing_values_are_read(string text, char separator, double[] expected)
    {
        var table = CsvTable.Parse(text, separator);
        Assert.Equal(expected, table.Numbers(table.Columns[0]));
        using var set = TableSet.FromTable(table, "y");
        Assert.Equal([table.Columns[0]], set.FeatureNames);
    }

    [Fact]
    public void A_mostly_numeric_column_is_refused_with_the_cell_that_is_not_a_number()
    {
        var table = CsvTable.Parse("mass,y\n1,a\n2,b\nthree,a\n");
        Assert.Equal("the table, line 4: the cell 'three' of column 'mass' is no number. 2 of its 3 cells are numbers.",
            Assert.Throws<InvalidDataException>(() => TableSet.FromTable(table, "y")).Message);
    }

    [Fact]
    public void Rows_without_a_label_are_dropped_and_numeric_labels_are_sorted_as_numbers()
    {
        using var set = TableSet.FromTable(CsvTable.Parse("a,y\n1,10\n2,\n3,9\n4,NA\n"), "y");
        Assert.Equal(["9", "10"], set.ClassNames);
        Assert.Equal([1L, 0], set.Labels.data<long>().ToArray());
        Assert.Equal([1f, 3], set.Features.data<float>().ToArray());
    }

    [Fact]
    public void The_separator_and_the_decimal_comma_of_a_file_are_detected()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.csv");
        try
        {
            File.WriteAllText(path, "a;b;y\n1,5;2;p\n2,5;3;q\n");
            using var set = TableSet.Read(path, "y");
            Assert.Equal([1.5f, 2, 2.5f, 3], set.Features.data<float>().ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_split_is_stratified_and_standardization_uses_training_statistics()
    {
        using var set = TableSet.Open("iris");
        var (train, test) = set.Split(0.2, seed: 3);
        Assert.Equal((120, 30), (train.Count, test.Count));
        Assert.Equal([10L, 10, 10], bincount(test.Labels).data<long>().ToArray());
        var (again, _) = set.Split(0.2, seed: 3);
        Assert.True(again.Features.Equals(train.Features));
        using var scaled = train.Standardized();
        Assert.All(scaled.Features.mean([0L]).data<float>().ToArray(), mean => Assert.Equal(0, mean, 5));
        using var other = test.Standardized(train);
        var expected = (test.Features - train.Features.mean([0L])) / train.Features.std(0, unbiased: false);
        Assert.True(other.Features.allclose(expected, atol: 1e-5));
        Assert.Throws<ArgumentException>(() => set.Split(1));
    }
}
