using System.Text.Json.Nodes;

namespace ResearchKit.Tests.Kernel;

/// <summary>Small notebooks, as text.</summary>
internal static class TestNotebook
{
    public static JsonObject Code(string source, params string[] tags) => new()
    {
        ["cell_type"] = "code",
        ["execution_count"] = null,
        ["id"] = null,
        ["metadata"] = tags.Length == 0
            ? [] : new JsonObject { ["tags"] = new JsonArray([.. tags.Select(tag => (JsonNode)tag)]) },
        ["outputs"] = new JsonArray(),
        ["source"] = source,
    };

    public static JsonObject Markdown(string source) => new()
    {
        ["cell_type"] = "markdown",
        ["id"] = null,
        ["metadata"] = new JsonObject(),
        ["source"] = source,
    };

    public static string Of(params JsonObject[] cells)
    {
        for (var i = 0; i < cells.Length; i++) cells[i]["id"] = $"cell-{i}";
        return new JsonObject
        {
            ["cells"] = new JsonArray([.. cells]),
            ["metadata"] = new JsonObject(),
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        }.ToJsonString();
    }

    /// <summary>A notebook that asks for a kernel by name.</summary>
    public static string Of(string kernel, params JsonObject[] cells)
    {
        var notebook = JsonNode.Parse(Of(cells))!;
        notebook["metadata"]!["kernelspec"] =
            new JsonObject { ["display_name"] = kernel, ["language"] = "C#", ["name"] = kernel };
        return notebook.ToJsonString();
    }

    public static string Output(JsonObject output) => Of(WithOutputs("1", output));

    public static JsonObject WithOutputs(string source, params JsonObject[] outputs)
    {
        var cell = Code(source);
        cell["execution_count"] = 1;
        cell["outputs"] = new JsonArray([.. outputs]);
        return cell;
    }
}
