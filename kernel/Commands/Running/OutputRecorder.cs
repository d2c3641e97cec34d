using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Stores outputs in the notebook's cells as Jupyter does: consecutive text of a stream is joined, and an
/// updated display keeps its last value.
/// </summary>
internal sealed class OutputRecorder
{
    private readonly Dictionary<string, List<JsonObject>> displays = new(StringComparer.Ordinal);
    private readonly HashSet<NotebookCell> toClear = [];

    public void Record(NotebookCell cell, Output output)
    {
        if (toClear.Remove(cell)) cell.Outputs.Clear();
        switch (output)
        {
            case ClearOutput clear:
                if (clear.Wait) toClear.Add(cell);
                else cell.Outputs.Clear();
                break;
            case StreamOutput stream:
                Append(cell.Outputs, stream);
                break;
            case DisplayOutput display:
                var shown = Rich("display_data", display.Data);
                displays.TryAdd(display.DisplayId, []);
                displays[display.DisplayId].Add(shown);
                cell.Outputs.Add((JsonNode)shown);
                break;
            case UpdateOutput update:
                foreach (var stored in displays.GetValueOrDefault(update.DisplayId) ?? [])
                    stored["data"] = MimeBundle.Of(update.Data);
                break;
            case ResultOutput result:
                var value = Rich("execute_result", result.Data);
                value.Insert(1, "execution_count", result.Count);
                cell.Outputs.Add((JsonNode)value);
                break;
            case ErrorOutput error:
                cell.Outputs.Add((JsonNode)new JsonObject
                {
                    ["ename"] = error.Name,
                    ["evalue"] = MimeBundle.WellFormed(error.Message),
                    ["output_type"] = "error",
                    ["traceback"] = new JsonArray([.. error.Traceback.Select(line => (JsonNode)MimeBundle.WellFormed(line))]),
                });
                break;
        }
    }

    private static JsonObject Rich(string kind, IReadOnlyDictionary<string, string> data) => new()
    {
        ["data"] = MimeBundle.Of(data),
        ["metadata"] = new JsonObject(),
        ["output_type"] = kind,
    };

    private static void Append(JsonArray outputs, StreamOutput stream)
    {
        if (outputs.LastOrDefault() is JsonObject last && (string?)last["output_type"] == "stream"
            && (string?)last["name"] == stream.Name && last["text"] is JsonArray lines)
        {
            var open = lines.Count > 0 && (string?)lines[^1] is { } line && !line.EndsWith('\n') ? line : "";
            if (open.Length > 0) lines.RemoveAt(lines.Count - 1);
            foreach (var added in MultilineText.Split(open + MimeBundle.WellFormed(stream.Text)).ToList())
                lines.Add(added?.DeepClone());
            return;
        }
        outputs.Add((JsonNode)new JsonObject
        {
            ["name"] = stream.Name,
            ["output_type"] = "stream",
            ["text"] = MultilineText.Split(MimeBundle.WellFormed(stream.Text)),
        });
    }
}
