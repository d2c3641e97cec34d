using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks;

/// <summary>A cell of a notebook. It is a view of the cell's JSON, so unknown fields are preserved.</summary>
public sealed class NotebookCell
{
    internal NotebookCell(JsonObject json) => Json = json;

    /// <summary>The JSON of the cell.</summary>
    public JsonObject Json { get; }

    /// <summary>Code, Markdown or raw text.</summary>
    public CellKind Kind => (string?)Json["cell_type"] switch
    {
        "code" => CellKind.Code,
        "markdown" => CellKind.Markdown,
        _ => CellKind.Raw,
    };

    /// <summary>The id of the cell, which is unique in the notebook and is saved with it.</summary>
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

    /// <summary>The outputs of the cell's last execution; empty for text cells.</summary>
    public JsonArray Outputs => Json["outputs"] as JsonArray ?? [];

    /// <summary>The execution count; null if the cell was not run.</summary>
    public int? ExecutionCount
    {
        get => (int?)Json["execution_count"];
        set => Json["execution_count"] = value;
    }

    /// <summary>
    /// The language in the cell's metadata, which VS Code writes; null for the notebook's language.
    /// </summary>
    public string? Language => CellLanguage.Of(Metadata);

    /// <summary>
    /// The duration of the last execution in seconds, from the metadata; null if it is not stored.
    /// </summary>
    public double? Seconds =>
        Metadata["execution"] is JsonObject times
        && Time(times, "iopub.execute_input") is { } start && Time(times, "shell.execute_reply") is { } end
            ? (end - start).TotalSeconds
            : null;

    /// <summary>True for a code cell that is not blank.</summary>
    public bool IsRunnable => Kind == CellKind.Code && !string.IsNullOrWhiteSpace(Source);

    /// <summary>Removes outputs, execution count and timing of a code cell.</summary>
    public void Clear()
    {
        if (Kind != CellKind.Code) return;
        Json["outputs"] = new JsonArray();
        ExecutionCount = null;
        Metadata.Remove("execution");
    }

    /// <summary>Stores when the cell ran, under Jupyter's keys.</summary>
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
