using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Notebooks;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>Splits a cell's outputs into the parts that are compared.</summary>
internal static class OutputParts
{
    /// <summary>
    /// Returns each stream as one text, however its writes were split and interleaved, then the other outputs in
    /// order.
    /// </summary>
    public static List<OutputPart> Of(NotebookCell cell)
    {
        var outputs = cell.Outputs.OfType<JsonObject>().ToList();
        var streams = outputs.Where(output => Kind(output) == "stream")
            .GroupBy(output => (string)output["name"]!, output => MultilineText.Join(output["text"]))
            .Select(stream => OutputPart.OfText(stream.Key, TerminalText.Plain(string.Concat(stream))))
            .Where(stream => !string.IsNullOrWhiteSpace(stream.Text))
            .OrderByDescending(stream => stream.Kind, StringComparer.Ordinal);   // stdout, then stderr
        return [.. streams, .. outputs.SelectMany(Shown)];
    }

    private static IEnumerable<OutputPart> Shown(JsonObject output) => Kind(output) switch
    {
        "error" => [OutputPart.OfText("error", $"{(string?)output["ename"]}: {(string?)output["evalue"]}")],
        "stream" => [],
        _ => ((JsonObject)output["data"]!).OrderBy(entry => entry.Key, StringComparer.Ordinal)
            .SelectMany(entry => Shown(entry.Key, entry.Value)),
    };

    private static IEnumerable<OutputPart> Shown(string mime, JsonNode? value)
    {
        var text = MultilineText.Join(value);
        return mime switch
        {
            "text/html" => HtmlParts.Of(text),
            "application/json" => [OutputPart.OfText(mime, value?.ToJsonString(new() { WriteIndented = true }) ?? "")],
            _ when mime.StartsWith("text/", StringComparison.Ordinal) => [OutputPart.OfText(mime, TerminalText.Plain(text))],
            _ => [OutputPart.OfPicture(mime, text.Length)],
        };
    }

    private static string? Kind(JsonObject output) => (string?)output["output_type"];
}
