using System.Text.Json.Nodes;
using CsCheck;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Tests.Kernel.Notebooks;

public sealed class NotebookDocumentTests
{
    private static readonly Gen<string> Text = Gen.Char["ab <>&\"'\\/\n\r\t\u00e9\u4e2d\u2028\u007f\u0001{}"].Array[0, 12]
        .Select(chars => new string(chars))
        .Select(OneOf("", "😀", "\n", "</script>"), (left, right) => left + right);

    private static readonly Gen<JsonNode?> Leaf = Gen.OneOf(
        Text.Select(text => (JsonNode?)text), Gen.Long.Select(number => (JsonNode?)number),
            Gen.Bool.Select(truth => (JsonNode?)truth),
        OneOf("1.0", "1e5", "-0.0", "123456789012345678901234567890", "null").Select(json => JsonNode.Parse(json)));

    private static readonly Gen<JsonObject> Metadata = Gen.Select(Text, Leaf).Array[0, 4].Select(Object)
        .Select(Text, Leaf, (inner, key, leaf) =>
            Object([("nested", inner), ($"x{key}", leaf), ("list", new JsonArray(leaf?.DeepClone()))]));

    private static readonly Gen<JsonObject> Output = Gen.OneOf(
        Text.Select(text => Object([("name", "stdout"), ("output_type", "stream"), ("text", Lines(text))])),
        Gen.Select(Text, Metadata).Select(pair => Object(
            [("output_type", "display_data"), ("metadata", pair.Item2),
             ("data", Object([("text/html", Lines(pair.Item1)), ("image/png", "iVBO"),
                 ("application/x+json", pair.Item2.DeepClone())]))])),
        Text.Select(text => Object([("ename", text), ("evalue", text), ("output_type", "error"),
            ("traceback", new JsonArray(text))])));

    private static readonly Gen<JsonObject> Cell =
        Gen.Select(OneOf("code", "markdown", "raw"), Text, Metadata, Output.Array[0, 3], Gen.Int[0, 9999])
        .Select((kind, text, metadata, outputs, id) =>
        {
            var cell = Object([("id", $"c-{id}"), ("metadata", metadata), ("cell_type", kind), ("source", Lines(text)),
                ("x-unknown", text)]);
            if (kind == "code") (cell["outputs"], cell["execution_count"]) = (new JsonArray([.. outputs]), id);
            else cell["attachments"] = Object([("a.png", Object([("image/png", "AAAA")]))]);
            return cell;
        });

    [Fact]
    public void Reading_and_writing_loses_nothing() =>
        Gen.Select(Cell.Array[0, 5], Metadata).Sample((cells, metadata) =>
        {
            var root = Object([("nbformat", 4), ("x-top", "kept"),
                ("cells", new JsonArray([.. cells.Select(cell => cell.DeepClone())])),
                               ("metadata", metadata.DeepClone()), ("nbformat_minor", 5)]);
            var text = NotebookJson.Write(root);
            var once = NotebookDocument.Parse(root.ToJsonString(), "test").ToJson();
            Assert.Equal(text, once);
            Assert.Equal(once, NotebookDocument.Parse(once, "test").ToJson());
            Assert.Equal(root.ToJsonString(), JsonNode.Parse(once)!.ToJsonString());
        }, iter: 300);

    [Fact]
    public void A_notebook_is_written_in_the_format_of_Jupyter()
    {
        var notebook = NotebookDocument.Parse("""{"cells":[{"cell_type":"markdown","id":"a","metadata":{},"source":"é\n<b>"}],"metadata":{},"nbformat":4,"nbformat_minor":5}""", "test");
        Assert.Equal("""
            {
             "cells": [
              {
               "cell_type": "markdown",
               "id": "a",
               "metadata": {},
               "source": [
                "é\n",
                "<b>"
               ]
              }
             ],
             "metadata": {},
             "nbformat": 4,
             "nbformat_minor": 5
            }

            """.ReplaceLineEndings("\n"), notebook.ToJson());
    }

    [Fact]
    public void Cells_of_an_older_notebook_get_reproducible_ids()
    {
        const string json = """{"cells":[{"cell_type":"code","source":"1","metadata":{},"outputs":[],"execution_count":null},{"cell_type":"raw","source":"1","metadata":{}}],"metadata":{},"nbformat":4,"nbformat_minor":2}""";
        var (first, second) = (NotebookDocument.Parse(json, "a"), NotebookDocument.Parse(json, "b"));
        Assert.Equal(5, (int)first.Root["nbformat_minor"]!);
        Assert.Equal(2, first.Cells.Select(cell => cell.Id).Distinct().Count());
        Assert.All(first.Cells, cell => Assert.Equal(8, cell.Id.Length));
        Assert.Equal(first.ToJson(), second.ToJson());
    }

    [Fact]
    public void Saving_leaves_no_temporary_file()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("a.ipynb", TestNotebook.Of(TestNotebook.Code("1")));
        NotebookDocument.Load(path).Save(path);
        Assert.Equal(path, Assert.Single(Directory.GetFiles(folder.Path)));
        Assert.EndsWith("}\n", File.ReadAllText(path), StringComparison.Ordinal);
    }

    private static JsonObject Object(IEnumerable<(string Key, JsonNode? Value)> entries)
    {
        var json = new JsonObject();
        foreach (var (key, value) in entries) json[key] = value?.DeepClone();
        return json;
    }

    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static JsonArray Lines(string text) => MultilineText.Split(text);
}
