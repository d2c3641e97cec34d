using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Parameters;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary><c>run.json</c>: which notebook ran, with what, where, how long, and how it ended.</summary>
internal sealed class RunRecord
{
    private readonly JsonObject json;
    private readonly JsonArray cells = [];
    private readonly long startedTicks = Stopwatch.GetTimestamp();

    public RunRecord(string notebook, IReadOnlyList<ParameterValue> parameters, DateTimeOffset started)
    {
        Parameters = new JsonObject(parameters.Select(value => KeyValuePair.Create(value.Parameter.Name, value.Json?.DeepClone())));
        Started = started.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        json = new JsonObject
        {
            ["notebook"] = notebook,
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(notebook))),
            ["parameters"] = Parameters.DeepClone(),
            ["started"] = Started,
            ["seconds"] = 0,
            ["status"] = "running",
            ["commit"] = GitCommit.Of(Path.GetDirectoryName(notebook)!),
            ["portable"] = PortableRun.IsAsked,
            ["machine"] = Machine(),
            ["cells"] = cells,
        };
    }

    public JsonObject Parameters { get; }

    public string Started { get; }

    public double Seconds => Math.Round(Stopwatch.GetElapsedTime(startedTicks).TotalSeconds, 3);

    public void AddCell(NotebookCell cell, int number, double seconds, CellEnd end, ErrorOutput? error)
    {
        var json = new JsonObject
        {
            ["cell"] = number,
            ["id"] = cell.Id,
            ["seconds"] = Math.Round(seconds, 3),
            ["status"] = end.ToString().ToLowerInvariant(),
        };
        if (error is not null) json["error"] = Told(error);
        cells.Add((JsonNode)json);
    }

    public void Save(string path, RunStatus status)
    {
        json["seconds"] = Seconds;
        json["status"] = status.ToString().ToLowerInvariant();
        AtomicFile.Write(path, NotebookJson.Write(json));
    }

    private static JsonObject Told(ErrorOutput error) => new()
    {
        ["name"] = error.Name,
        ["message"] = MimeBundle.WellFormed(error.Message),
        ["traceback"] = new JsonArray([.. error.Traceback.Select(line => (JsonNode)MimeBundle.WellFormed(line))]),
    };

    private static JsonObject Machine() => new()
    {
        ["os"] = RuntimeInformation.OSDescription,
        ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
        ["processors"] = Environment.ProcessorCount,
        ["memoryBytes"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        ["runtime"] = RuntimeInformation.FrameworkDescription,
        ["researchkit"] = ProductVersion.Text,
    };
}
