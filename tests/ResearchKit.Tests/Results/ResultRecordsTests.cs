using System.Text.Json;
using ResearchKit.Results;

namespace ResearchKit.Tests.Results;

public sealed class ResultRecordsTests
{
    private static readonly Grid Grid = new("a title", "nats", ["row, \"one\"", "two"], ["x", " y"],
        new[,] { { 0.1, double.NaN }, { double.PositiveInfinity, -1e-300 } })
    {
        RowAxis = "layer",
        Texts = new[,] { { "a", "b" }, { "c", "d" } },
        Evidence = new Evidence { Law = "sum", Error = 1, Tolerance = 2, Notes = ["note"], PeakBytes = 5 },
    };

    [Fact]
    public void A_grid_is_exact_as_comma_separated_values() => Assert.Equal(
        "layer,x,\" y\"\n\"row, \"\"one\"\"\",0.1,\ntwo,Infinity,-1E-300\n", Grid.ToCsv());

    [Fact]
    public void A_grid_is_complete_as_JSON()
    {
        var json = JsonDocument.Parse(Grid.ToJson()).RootElement;
        Assert.Equal((JsonValueKind.Null, 0.1),
            (json.GetProperty("values")[0][1].ValueKind, json.GetProperty("values")[0][0].GetDouble()));
        Assert.Equal(("layer", " y", "d"), (json.GetProperty("rowAxis").GetString(), json.GetProperty("columns")[1].GetString(),
            json.GetProperty("texts")[1][1].GetString()));
        var evidence = json.GetProperty("evidence");
        Assert.Equal((true, 5, "note"), (evidence.GetProperty("holds").GetBoolean(), evidence.GetProperty("peakBytes").GetInt64(),
            evidence.GetProperty("notes")[0].GetString()));
    }

    [Fact]
    public void Scored_tokens_have_a_line_for_each_token()
    {
        var scores = new TokenScores("t", "", ["a", "b"],
            [new(["x"], new double[,] { { 1, 2 } }), new(["y", "\n"], new double[,] { { 3, 4 }, { 5, double.NaN } })]);
        Assert.Equal("text,position,token,a,b\n0,0,x,1,2\n1,0,y,3,4\n1,1,\"\n\",5,\n", scores.ToCsv());
        var json = JsonDocument.Parse(scores.ToJson()).RootElement;
        Assert.Equal(4, json.GetProperty("texts")[1].GetProperty("scores")[0][1].GetDouble());
        Assert.Equal("t: 2 texts, 3 tokens", scores.ToString());
    }

    [Fact]
    public void A_graph_has_a_line_for_each_edge()
    {
        var graph = new Graph("g", "", [new("a", "A", 1, 0), new("b", "B", 2, 1)], [new("a", "b", 0.5)]);
        Assert.Equal("from,to,weight\na,b,0.5\n", graph.ToCsv());
        var json = JsonDocument.Parse(graph.ToJson()).RootElement;
        Assert.Equal(("B", 0.5), (json.GetProperty("nodes")[1].GetProperty("label").GetString(),
            json.GetProperty("edges")[0].GetProperty("weight").GetDouble()));
    }

    [Fact]
    public void A_table_has_a_line_for_each_row() => Assert.Equal("name,value\n\"a,b\",0.5\n,3\n",
        new ResultTable(["name", "value"], [["a,b", 0.5], [null, 3L]]).ToCsv());

    [Fact]
    public void A_table_keeps_its_numbers_as_JSON()
    {
        var json = JsonDocument.Parse(new ResultTable(["name", "value"],
            [["a", 0.5], [null, 3L], [true, double.NaN]]).ToJson()).RootElement;
        Assert.Equal((0.5, 3), (json.GetProperty("rows")[0][1].GetDouble(), json.GetProperty("rows")[1][1].GetInt64()));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.True, JsonValueKind.Null), (json.GetProperty("rows")[1][0].ValueKind,
            json.GetProperty("rows")[2][0].ValueKind, json.GetProperty("rows")[2][1].ValueKind));
    }

    [Fact]
    public void Numbers_without_labels_are_refused_in_words()
    {
        Assert.StartsWith("Got values [1, 2] for 1 labels of rows and 1 of columns",
            Assert.Throws<ArgumentException>(() => new Grid("t", "", ["a"], ["b"], new double[1, 2])).Message,
                StringComparison.Ordinal);
        Assert.StartsWith("Got scores of 2 tokens for 1 tokens",
            Assert.Throws<ArgumentException>(() => new ScoredText(["a"], new double[2, 1])).Message, StringComparison.Ordinal);
        Assert.StartsWith("Got 1 scores a token for 2 names", Assert.Throws<ArgumentException>(() =>
            new TokenScores("t", "", ["a", "b"], [new(["x"], new double[1, 1])])).Message, StringComparison.Ordinal);
        Assert.StartsWith("No node is named 'c', which the edge from 'a' to 'c' names.", Assert.Throws<ArgumentException>(() =>
            new Graph("g", "", [new("a", "", 0, 0)], [new("a", "c", 1)])).Message, StringComparison.Ordinal);
        Assert.StartsWith("Two nodes are named 'a'.", Assert.Throws<ArgumentException>(() =>
            new Graph("g", "", [new("a", "", 0, 0), new("a", "", 0, 0)], [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_law_with_an_error_that_is_not_a_number_is_broken()
    {
        Assert.False(new Evidence { Law = "sum", Error = double.NaN, Tolerance = 1 }.Holds);
        Assert.True(new Evidence { Error = double.NaN }.Holds);
    }
}
