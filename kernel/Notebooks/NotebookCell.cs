using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>One cell: a view on its JSON, so that what it does not know about survives.</summary>
public sealed class NotebookCell
{
    internal NotebookCell(JsonObject json) => Json = json;

    /// <summary>The cell as it stands in the file.</summary>
    public JsonObject Json { get; }

    /// <summary>Code, Markdown or raw text.</summary>
    public CellKind Kind => (string?)Json["cell_type"] switch
    {
        "code" => CellKind.Code,
        "markdown" => CellKind.Markdown,
        _ => CellKind.Raw,
    };

    /// <summary>The cell's name in the notebook; unique, kept when the notebook is saved.</summary>
    public string Id => (string?)Json["id"] ?? "";

    /// <summary>The cell's text.</summary>
    public string Source
    {
        get => MultilineText.Join(Json["source"]);
        set => Json["source"] = MultilineText.Split(value);
    }

    /// <summary>The cell's metadata.</summary>
    public JsonObject Metadata => (JsonObject)Json["metadata"]!;

    /// <summary>The cell's tags.</summary>
    public IReadOnlyList<string> Tags =>
        Metadata["tags"] is JsonArray tags ? [.. tags.Select(tag => (string?)tag ?? "")] : [];

    /// <summary>What the cell's last execution gave; empty for text.</summary>
    public JsonArray Outputs => Json["outputs"] as JsonArray ?? [];

    /// <summary>The number of the cell's last execution.</summary>
    public int? ExecutionCount
    {
        get => (int?)Json["execution_count"];
        set => Json["execution_count"] = value;
    }

    /// <summary>The language its metadata names, as VS Code's notebooks do; null where it is the notebook's.</summary>
    public string? Language => CellLanguage.Of(Metadata);

    /// <summary>The seconds of the last execution, from the timing in the metadata.</summary>
    public double? Seconds =>
        Metadata["execution"] is JsonObject times
        && Time(times, "iopub.execute_input") is { } start && Time(times, "shell.execute_reply") is { } end
            ? (end - start).TotalSeconds
            : null;

    /// <summary>True for code that is more than white space.</summary>
    public bool IsRunnable => Kind == CellKind.Code && !string.IsNullOrWhiteSpace(Source);

    /// <summary>Forgets the last execution.</summary>
    public void Clear()
    {
        if (Kind != CellKind.Code) return;
        Json["outputs"] = new JsonArray();
        ExecutionCount = null;
        Metadata.Remove("execution");
    }

    /// <summary>Notes when the cell ran, under the names that Jupyter uses.</summary>
    public void SetTiming(DateTimeOffset start, DateTimeOffset end) => Metadata["execution"] = new JsonObject
    {
        ["iopub.execute_input"] = Iso(start),
        ["shell.execute_reply"] = Iso(end),
    };

    private static string Iso(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", null);

    private static string? Text(JsonObject? from, string key) =>
        from?[key] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static DateTimeOffset? Time(JsonObject from, string key) =>
        DateTimeOffset.TryParse(Text(from, key), null, out var time) ? time : null;
}
