using System.Text.Json.Nodes;
using ResearchKit.Kernel.Languages;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Answers requests for completion, inspection and completeness of code.</summary>
internal sealed class CodeRequests(Session session)
{
    public async Task<JsonObject> CompleteAsync(JsonObject request, CancellationToken cancellation)
    {
        var (code, position) = Place(request);
        var found = await session.CodeServices.CompleteAsync(code, position, cancellation).ConfigureAwait(false);
        return new JsonObject
        {
            ["status"] = "ok",
            ["matches"] = new JsonArray([.. found.Items.Select(item => (JsonNode)item.Text)]),
            ["cursor_start"] = CodePoints(code, found.Start),
            ["cursor_end"] = CodePoints(code, found.End),
            ["metadata"] = new JsonObject
            {
                ["_jupyter_types_experimental"] = new JsonArray([.. found.Items.Select(item => (JsonNode)new JsonObject
                {
                    ["start"] = CodePoints(code, found.Start),
                    ["end"] = CodePoints(code, found.End),
                    ["text"] = item.Text,
                    ["type"] = item.Kind,
                    ["signature"] = item.Signature,
                })]),
            },
        };
    }

    public async Task<JsonObject> InspectAsync(JsonObject request, CancellationToken cancellation)
    {
        var (code, position) = Place(request);
        var found = await session.CodeServices.InspectAsync(code, position, cancellation).ConfigureAwait(false);
        return new JsonObject
        {
            ["status"] = "ok",
            ["found"] = found is not null,
            ["data"] = found is null ? [] : new JsonObject { ["text/markdown"] = found.Markdown, ["text/plain"] = found.Text },
            ["metadata"] = new JsonObject(),
        };
    }

    public JsonObject IsComplete(JsonObject request)
    {
        var found = session.CodeServices.IsComplete(request.Text("code") ?? "");
        var reply = new JsonObject { ["status"] = found.Status.ToString().ToLowerInvariant() };
        if (found.Status == CodeStatus.Incomplete) reply["indent"] = found.Indent;
        return reply;
    }

    /// <summary>
    /// Reads code and cursor. The protocol counts positions in code points, .NET in UTF-16 units.
    /// </summary>
    private static (string Code, int Position) Place(JsonObject request)
    {
        var code = request.Text("code") ?? "";
        var (points, position) = (request.Number("cursor_pos") ?? int.MaxValue, 0);
        for (; points > 0 && position < code.Length; points--) position += char.IsSurrogatePair(code, position) ? 2 : 1;
        return (code, position);
    }

    private static int CodePoints(string code, int position) =>
        code.AsSpan(0, Math.Clamp(position, 0, code.Length)).ToString().EnumerateRunes().Count();
}
