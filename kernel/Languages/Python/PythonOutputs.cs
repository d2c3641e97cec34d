using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>Converts messages of an ipykernel to outputs of a cell.</summary>
internal sealed class PythonOutputs(CellScope? scope)
{
    private const string Plain = "text/plain";
    // skipped, because widgets need a connection to Python; their text is displayed instead
    private const string Widget = "application/vnd.jupyter.widget-view+json";

    /// <summary>Displays the output in a message. Errors are handled elsewhere.</summary>
    public void Show(Message message)
    {
        if (scope?.Outputs is not { } outputs) return;
        var content = message.Content;
        switch (message.Type)
        {
            case "stream":
                outputs.Write(content.Text("name") == "stderr" ? "stderr" : "stdout", content.Text("text") ?? "");
                break;
            case "display_data" or "execute_result":
                outputs.Show(Data(content), DisplayId(content) ?? Guid.NewGuid().ToString("N"));
                break;
            case "update_display_data" when DisplayId(content) is { } id:
                outputs.Update(Data(content), id);
                break;
            case "clear_output":
                outputs.Send(new ClearOutput(content.Flag("wait", false)));
                break;
        }
    }

    /// <summary>Displays the pages in the payload of a reply, such as the help for <c>name?</c>.</summary>
    public void ShowPages(Message reply)
    {
        foreach (var page in Payload(reply, "page")) scope?.Outputs?.Show(Data(page), Guid.NewGuid().ToString("N"));
    }

    /// <summary>Returns whether the cell asked Python to exit, which happens a moment later.</summary>
    public static bool Exits(Message? reply) =>
        reply is not null && Payload(reply, "ask_exit").Any(item => !item.Flag("keepkernel", false));

    private static IEnumerable<JsonObject> Payload(Message reply, string source) =>
        (reply.Content["payload"] as JsonArray ?? []).OfType<JsonObject>().Where(item => item.Text("source") == source);

    private static string? DisplayId(JsonObject content) => (content["transient"] as JsonObject)?.Text("display_id");

    /// <summary>Returns the data by mime type, with plain text last, since it is the least rich.</summary>
    private static Formatted Data(JsonObject content)
    {
        var data = new OrderedDictionary<string, string>();
        foreach (var (mime, value) in (content["data"] as JsonObject ?? []).OrderBy(entry => entry.Key == Plain))
            if (mime != Widget) data[mime] = Text(mime, value);
        if (data.Count == 0) data[Plain] = "";
        return new Formatted(data, null);
    }

    private static string Text(string mime, JsonNode? value) =>
        mime.EndsWith("json", StringComparison.Ordinal) ? value?.ToJsonString() ?? "null" : MultilineText.Join(value);
}
