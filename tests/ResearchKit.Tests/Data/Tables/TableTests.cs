using System.Text;
using Microsoft.Data.Analysis;
using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class TableTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Written(string name, string text, Encoding? encoding = null)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text, encoding ?? new UTF8Encoding(false));
        return path;
    }

    private Table Read(string name, string text, TableOptions? options = null) => Table.Read(Written(name, text), options);

    private string Refused(string name, string text, TableOptions? options = null) =>
        Assert.Throws<InvalidDataException>(() => Read(name, text, options)).Message;

    [Fact]
    public void Columns_get_the_type_of_their_cells()
    {
        var table = Read("a.csv", """
            when,mass,alive,name
            2026-01-31,"1,250.5",TRUE,Anne
            2026-02-01,?,false,"Bo, the second"
            ,1,NA,null
            """);
        Assert.Equal([ColumnType.Date, ColumnType.Number, ColumnType.Boolean, ColumnType.Text], table.Columns
            .Select(column => column.Type));
        Assert.Equal([new DateTime(2026, 1, 31), new DateTime(2026, 2, 1), null], table["when"].Dates());
        Assert.Equal([1250.5, double.NaN, 1], table["mass"].Numbers());
        Assert.Equal([1, 0, double.NaN], table["alive"].Numbers());
        Assert.Equal(["Anne", "Bo, the second", null], table["name"].Texts());
        Assert.Equal(1, table["mass"].Missing);
        Assert.Contains("name", Assert.Throws<KeyNotFoundException>(() => table["nmae"]).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x;y\n1 234,5;a\n1 000 000,25;b\n", new[] { 1234.5, 1000000.25 })]
    [InlineData("x;y\n1.234;1,5\n5.678;2,5\n", new[] { 1234.0, 5678 })]
    [InlineData("x;y\n1,234;1.5\n5,678;2.5\n", new[] { 1234.0, 5678 })]
    [InlineData("x\ty\n1,234\t0,5\n2,5\t1\n", new[] { 1.234, 2.5 })]
    [InlineData("x\n1'234.5\n12'000\n", new[] { 1234.5, 12000 })]
    [InlineData("x\n\u22125\n+3\n", new[] { -5.0, 3 })]
    [InlineData("x|y\n1e3|a\nn/a|b\n", new[] { 1000, double.NaN })]
    public void Numbers_are_read_as_the_whole_file_writes_them(string text, double[] expected) =>
        Assert.Equal(expected, Read("numbers.csv", text)["x"].Numbers());

    [Theory]
    [InlineData("31/01/2026", "2026-01-31")]
    [InlineData("01/31/2026 14:30", "2026-01-31T14:30:00")]
    [InlineData("3.4.2026", "2026-04-03")]
    [InlineData("2026-01-31T14:30:00Z", "2026-01-31T14:30:00")]
    [InlineData("2026-01-31T14:30:00+02:00", "2026-01-31T12:30:00")]
    [InlineData("3 Apr 2026", "2026-04-03")]
    public void Dates_are_read_in_the_formats_that_people_write(string cell, string expected) =>
        Assert.Equal([expected], Read("dates.csv", $"d\n\"{cell}\"\n")["d"].Texts());

    [Fact]
    public void A_date_of_two_meanings_stays_a_text_until_its_format_is_named()
    {
        var table = Read("dates.csv", "d\n03/04/2026\n05/06/2026\n");
        Assert.Equal(ColumnType.Text, table["d"].Type);
        Assert.Contains(nameof(TableOptions.DateFormat),
            Assert.Throws<InvalidOperationException>(() => table.SplitByTime("d")).Message, StringComparison.Ordinal);
        table = Read("dates.csv", "d\n03/04/2026\n05/06/2026\n", new TableOptions { DateFormat = "dd/MM/yyyy" });
        Assert.Equal(["2026-04-03", "2026-06-05"], table["d"].Texts());
    }

    [Fact]
    public void A_slip_among_numbers_is_refused_by_file_line_column_and_value()
    {
        Assert.Equal("mass.csv, line 5: the cell 'three' of column 'mass' is no number. 2 of its 3 cells are numbers. "
            + "If it means a missing value, name it in TableOptions.Missing; "
            + "if the column is text, say so in TableOptions.Types.",
            Refused("mass.csv", "mass,name\n1,\"a\nb\"\n2,x\nthree,y\n"));
        Assert.Contains("line 3: the cell '1,5' of column 'x' is written unlike the other numbers",
            Refused("x.csv", "x;y\n1.5;a\n1,5;b\n2.25;c\n"), StringComparison.Ordinal);
        const string marked = "mass\n1\n2\n-\n";
        Assert.Equal([1, 2, double.NaN], Read("mass.csv", marked, new TableOptions { Missing = ["-"] })["mass"].Numbers());
        Assert.Equal(["1", "2", "-"], Read("mass.csv", marked, new TableOptions
        {
            Types = new Dictionary<string, ColumnType> { ["mass"] = ColumnType.Text },
        })["mass"].Texts());
        Assert.StartsWith("mass.csv, line 4: the cell '-' of column 'mass' is not a Number", Refused("mass.csv", marked,
            new TableOptions
            {
                Types = new Dictionary<string, ColumnType> { ["mass"] = ColumnType.Number },
            }), StringComparison.Ordinal);
    }

    [Fact]
    public void Tickets_with_many_texts_among_numbers_are_texts()
    {
        var cells = Enumerable.Range(0, 40).Select(i => i % 4 == 0 ? $"A{i}" : $"{1000 + i}");
        Assert.Equal(ColumnType.Text, Read("t.csv", "ticket\n" + string.Join('\n', cells))["ticket"].Type);
    }

    [Fact]
    public void Identifiers_keep_all_their_digits()
    {
        Assert.Equal(["90071992547409931", "2"], Read("ids.csv", "id\n90071992547409931\n2\n")["id"].Texts());
        Assert.Equal(["90071992547409931", "2"], Read("ids.jsonl", "{\"id\":90071992547409931}\n{\"id\":2}\n")["id"].Texts());
    }

    [Fact]
    public void Another_encoding_is_refused_by_line_and_read_when_it_is_named()
    {
        var path = Written("städte.csv", "name,x\na,1\nKöln,2\n", Encoding.Latin1);
        Assert.Contains("line 3 has the byte 0xF6", Assert.Throws<InvalidDataException>(() => Table.Read(path)).Message,
            StringComparison.Ordinal);
        Assert.Equal("Köln", Table.Read(path, new TableOptions { Encoding = Encoding.Latin1 })["name"].Texts()[1]);
        Assert.Equal("Köln", Table.Read(Written("u.csv", "name,x\na,1\nKöln,2\n", Encoding.Unicode))["name"].Texts()[1]);
    }

    [Fact]
    public void A_file_without_a_line_of_names_is_read_with_names_that_are_given()
    {
        var table = Read("adult.data", "39, Private\n50, ?\n", new TableOptions { Names = ["age", "work"] });
        Assert.Equal([39, 50], table["age"].Numbers());
        Assert.Equal(["Private", null], table["work"].Texts());
        Assert.Contains("line 1", Refused("adult.data", "39, Private\n", new TableOptions { Names = ["age"] }),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Some_columns_alone_are_read_and_a_wrong_name_is_refused()
    {
        Assert.Equal(["b"], Read("a.csv", "a,b\nx,1\n", new TableOptions { Columns = ["b"] }).Columns
            .Select(column => column.Name));
        Assert.Contains("it has a, b", Assert.Throws<KeyNotFoundException>(() =>
            Read("a.csv", "a,b\nx,1\n", new TableOptions { Columns = ["c"] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_lines_become_columns_and_objects_inside_become_columns_with_a_point()
    {
        var table = Read("a.jsonl", """
            {"id": 1, "text": "12", "at": {"x": 1.5, "y": true}, "when": "2026-01-31"}

            {"id": null, "at": {"x": "NA", "y": false}}
            """);
        Assert.Equal(["id", "text", "at.x", "at.y", "when"], table.Columns.Select(column => column.Name));
        Assert.Equal([1, double.NaN], table["id"].Numbers());
        Assert.Equal(["12", null], table["text"].Texts());
        Assert.Equal([1.5, double.NaN], table["at.x"].Numbers());
        Assert.Equal(ColumnType.Boolean, table["at.y"].Type);
        Assert.Equal([new DateTime(2026, 1, 31), null], table["when"].Dates());
        Assert.Equal([1, 2], Read("a.json", """[{"x":1},{"x":2}]""")["x"].Numbers());
    }

    [Theory]
    [InlineData("{\"x\":1}\n{\"x\":\n", "a.jsonl, line 2")]
    [InlineData("{\"x\":1}\n[1]\n", "a.jsonl, line 2: got a JSON Array")]
    [InlineData("{\"x\":1}\n\n{\"x\":\"b\"}\n", "a.jsonl, line 3: column 'x' is the String 'b', but a Number in line 1")]
    [InlineData("", "a.jsonl is empty")]
    public void Malformed_json_says_what_and_where(string text, string said) =>
        Assert.Contains(said, Refused("a.jsonl", text), StringComparison.Ordinal);

    [Fact]
    public void A_table_goes_to_a_data_frame_and_back()
    {
        var table = Read("a.csv", "n,b,d,t\n1.5,true,2026-01-31,x\nNA,NA,NA,NA\n");
        var frame = table.ToDataFrame();
        Assert.Equal([1.5, null], ((DoubleDataFrameColumn)frame["n"]).ToList());
        Assert.Equal(1, frame["t"].NullCount);
        var back = Table.FromDataFrame(frame);
        Assert.Equal(table.Columns.Select(column => (column.Name, column.Type)), back.Columns
            .Select(column => (column.Name, column.Type)));
        Assert.All(table.Columns, column => Assert.Equal(column.Texts(), back[column.Name].Texts()));
        var whole = Table.FromDataFrame(new DataFrame(new Int32DataFrameColumn("i", [1, 2]), new Int64DataFrameColumn("id",
            [long.MaxValue, 1])));
        Assert.Equal([1, 2], whole["i"].Numbers());
        Assert.Equal(["9223372036854775807", "1"], whole["id"].Texts());
    }
}
