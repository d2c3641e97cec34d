using System.Text.Encodings.Web;
using System.Text.Json;

namespace ResearchKit.Checkpoints;

/// <summary>How the kit writes JSON that people read.</summary>
internal static class JsonLayout
{
    public static JsonSerializerOptions Indented { get; } =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
