using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace ResearchKit.Kernel.Commands.Runs;

/// <summary>
/// Prints runs as JSON with stable field names for programs. NaN and infinities are written as strings.
/// </summary>
internal static class RunsJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static JsonNode? Node<T>(T value) => JsonSerializer.SerializeToNode(value, Options);

    public static void Write(FoundRuns found, TextWriter output) => Write(output, new
    {
        found.Folder,
        Runs = found.Runs.Select(Told),
        found.Refused,
    });

    public static void Write(RunsSideBySide comparison, TextWriter output) => Write(output, new
    {
        Runs = comparison.Runs.Select(Told),
        comparison.Differences,
        Metrics = comparison.Measured,
    });

    private static object Told(FoundRun run) => new
    {
        Path = run.Record.Folder,
        run.Name,
        run.Started,
        run.Status,
        run.Run?.Error,
        run.Run?.Seed,
        run.Process.Commit,
        run.Metrics,
    };

    private static void Write(TextWriter output, object value) => output.WriteLine(JsonSerializer.Serialize(value, Options));
}
