using System.Diagnostics;
using System.Text.Json.Nodes;

namespace ResearchKit.Tests.Packaging;

/// <summary>The real .NET Interactive, spoken to by its lines of JSON.</summary>
internal sealed class InteractiveHost : IDisposable
{
    private readonly Process process;

    public InteractiveHost(string program, string folder)
    {
        process = Process.Start(DotNet.StartInfo(program, folder, ["stdio"]))!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
    }

    /// <summary>What a cell gave rise to, in order.</summary>
    public async Task<List<HostEvent>> RunAsync(string code)
    {
        var token = Guid.NewGuid().ToString("N");
        var command = new JsonObject
        {
            ["commandType"] = "SubmitCode",
            ["command"] = new JsonObject { ["code"] = code, ["targetKernelName"] = "csharp" },
            ["token"] = token,
        };
        await process.StandardInput.WriteLineAsync(command.ToJsonString());
        await process.StandardInput.FlushAsync();
        var events = new List<HostEvent>();
        while (true)
        {
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(80))
                ?? throw new EndOfStreamException("The host ended.");
            if (!line.StartsWith('{') || JsonNode.Parse(line)!["eventType"] is null) continue;   // it also greets
            var told = JsonNode.Parse(line)!;
            var type = (string)told["eventType"]!;
            events.Add(new HostEvent(type, told["event"]!));
            if (type is "CommandSucceeded" or "CommandFailed" && (string?)told["command"]?["token"] == token) return events;
        }
    }

    public void Dispose()
    {
        process.Kill(entireProcessTree: true);
        process.Dispose();
    }
}

/// <summary>One event of the host.</summary>
internal sealed record HostEvent(string Type, JsonNode Content)
{
    /// <summary>What is shown, in one mime type; empty where it is not.</summary>
    public string Shown(string mimeType) => string.Concat((Content["formattedValues"]?.AsArray() ?? [])
        .Where(value => (string?)value!["mimeType"] == mimeType).Select(value => (string?)value!["value"]));

    public override string ToString() => $"{Type} {Content.ToJsonString()}";
}
