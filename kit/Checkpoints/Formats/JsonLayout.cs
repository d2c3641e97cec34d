using System.Text.Encodings.Web;
using System.Text.Json;

namespace ResearchKit.Checkpoints;

/// <summary>JSON options for files that people read.</summary>
internal static class JsonLayout
{
    public static JsonSerializerOptions Indented { get; } =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
