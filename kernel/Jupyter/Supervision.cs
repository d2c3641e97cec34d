using System.IO.Pipes;
using System.Text.Json;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>
/// Reports the running request from the kernel process to its supervisor, which needs it if the kernel dies.
/// </summary>
internal sealed class Supervision(string handle) : IDisposable
{
    private readonly StreamWriter writer = new(new AnonymousPipeClientStream(PipeDirection.Out, handle)) { AutoFlush = true };
    private readonly Lock gate = new();

    public void Begin(Message request) => Tell(new JsonObject
    {
        ["header"] = request.Header.DeepClone(),
        ["identities"] = new JsonArray([.. request.Identities.Select(identity => (JsonNode)Convert.ToBase64String(identity))]),
    });

    public void End() => Tell(new JsonObject { ["idle"] = true });

    public void Dispose() => writer.Dispose();

    /// <summary>
    /// Reads one line from the kernel; returns the latest request and whether it is still running.
    /// </summary>
    public static (Message Request, bool IsOpen)? Read(string line, (Message Request, bool IsOpen)? before)
    {
        var told = JsonNode.Parse(line)!.AsObject();
        if (told["header"] is not JsonObject header) return before is var (request, _) ? (request, false) : null;
        var identities = told["identities"]!.AsArray().Select(identity => Convert.FromBase64String((string)identity!));
        return (new Message { Header = (JsonObject)header.DeepClone(), Identities = [.. identities] }, true);
    }

    private void Tell(JsonObject line)
    {
        try
        {
            lock (gate) writer.WriteLine(line.ToJsonString(JsonSerializerOptions.Default));
        }
        catch (IOException)
        {
            // the supervisor has died; ParentWatch will end this process
        }
    }
}
