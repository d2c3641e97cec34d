using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>
/// Editor services for Python, by the running ipykernel. Before the first cell there is none, and results are
/// empty.
/// </summary>
internal sealed class PythonServices(Func<PythonKernel?> running) : ICodeServices
{
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async Task<Completions> CompleteAsync(string code, int position, CancellationToken cancellation)
    {
        var nothing = new Completions(position, position, []);
        if (await AskAsync("complete_request", code, position, [], cancellation).ConfigureAwait(false) is not { } reply)
            return nothing;
        var (start, end) = (Units(code, reply.Number("cursor_start") ?? 0), Units(code, reply.Number("cursor_end") ?? 0));
        var told = ((reply["metadata"] as JsonObject)?["_jupyter_types_experimental"] as JsonArray ?? []).OfType<JsonObject>()
            .DistinctBy(item => item.Text("text")).ToDictionary(item => item.Text("text") ?? "");
        var items = (reply["matches"] as JsonArray ?? []).Select(match => match!.GetValue<string>()).Select(text =>
            new CompletionItem(text, told.GetValueOrDefault(text)?.Text("type") ?? "",
                told.GetValueOrDefault(text)?.Text("signature") ?? ""));
        return new Completions(start, end, [.. items]);
    }

    /// <inheritdoc/>
    public async Task<Inspection?> InspectAsync(string code, int position, CancellationToken cancellation)
    {
        var reply = await AskAsync("inspect_request", code, position, new() { ["detail_level"] = 0 }, cancellation)
            .ConfigureAwait(false);
        if (reply?["data"] is not JsonObject data || data.Text("text/plain") is not { } text) return null;
        var plain = TerminalText.Plain(text);
        return new Inspection(plain, $"```text\n{plain.TrimEnd()}\n```");
    }

    /// <inheritdoc/>
    public CodeCompleteness IsComplete(string code)
    {
        var reply = Task.Run(() => AskAsync("is_complete_request", code, null, [], CancellationToken.None)).GetAwaiter()
            .GetResult();
        return reply?.Text("status") switch
        {
            "incomplete" => new CodeCompleteness(CodeStatus.Incomplete, reply.Text("indent") ?? ""),
            "invalid" => new CodeCompleteness(CodeStatus.Invalid),
            _ => new CodeCompleteness(CodeStatus.Complete),
        };
    }

    /// <summary>
    /// Sends a request to the kernel and returns the reply's content; null if there is no kernel, or if it is
    /// running a cell and does not reply in time.
    /// </summary>
    private async Task<JsonObject?> AskAsync(
        string type, string code, int? position, JsonObject content, CancellationToken cancellation)
    {
        if (running() is not { } kernel) return null;
        content["code"] = code;
        if (position is { } units) content["cursor_pos"] = code.AsSpan(0, units).ToString().EnumerateRunes().Count();
        using var request = kernel.Send(type, content);
        try
        {
            var reply = await request.ReplyAsync().WaitAsync(Glance, cancellation).ConfigureAwait(false);
            return reply.Content.Text("status") == "error" ? null : reply.Content;
        }
        catch (Exception none) when (none is TimeoutException or IOException)
        {
            return null;
        }
    }

    /// <summary>Converts a position from code points, which the protocol uses, to UTF-16 units.</summary>
    private static int Units(string code, int points)
    {
        var at = 0;
        for (; points > 0 && at < code.Length; points--) at += char.IsSurrogatePair(code, at) ? 2 : 1;
        return at;
    }
}
