using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Converts a session's outputs to messages of the Jupyter protocol.</summary>
internal static class OutputMessages
{
    /// <summary>Returns the type and content of the message for an output.</summary>
    public static (string Type, JsonObject Content) Of(Output output) => output switch
    {
        StreamOutput stream => ("stream", new() { ["name"] = stream.Name, ["text"] = MimeBundle.WellFormed(stream.Text) }),
        DisplayOutput display => ("display_data", Shown(display.Data, display.DisplayId)),
        UpdateOutput update => ("update_display_data", Shown(update.Data, update.DisplayId)),
        ResultOutput result => ("execute_result", Result(result)),
        ClearOutput clear => ("clear_output", new() { ["wait"] = clear.Wait }),
        ErrorOutput error => ("error", Error(error)),
        _ => throw new ArgumentException($"The output type {output.GetType().Name} has no message "
            + "in the Jupyter protocol.", nameof(output)),
    };

    /// <summary>Returns an error as the content of an error output or reply.</summary>
    public static JsonObject Error(ErrorOutput error) => new()
    {
        ["ename"] = error.Name,
        ["evalue"] = MimeBundle.WellFormed(error.Message),
        ["traceback"] = new JsonArray([.. error.Traceback.Select(line => (JsonNode)MimeBundle.WellFormed(line))]),
    };

    private static JsonObject Shown(IReadOnlyDictionary<string, string> data, string displayId) => new()
    {
        ["data"] = MimeBundle.Of(data),
        ["metadata"] = new JsonObject(),
        ["transient"] = new JsonObject { ["display_id"] = displayId },
    };

    private static JsonObject Result(ResultOutput result) => new()
    {
        ["execution_count"] = result.Count,
        ["data"] = MimeBundle.Of(result.Data),
        ["metadata"] = new JsonObject(),
    };
}
