using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Protocol;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>The content of <c>kernel_info_reply</c>.</summary>
internal static class KernelInfo
{
    public static JsonObject Reply() => new()
    {
        ["status"] = "ok",
        ["protocol_version"] = Message.ProtocolVersion,
        ["implementation"] = "researchkit",
        ["implementation_version"] = ProductVersion.Text,
        ["language_info"] = new JsonObject
        {
            ["name"] = "C#",
            ["version"] = "14.0",
            ["mimetype"] = "text/x-csharp",
            ["file_extension"] = ".cs",
            ["pygments_lexer"] = "csharp",
            ["codemirror_mode"] = "text/x-csharp",
        },
        ["banner"] = $"ResearchKit {ProductVersion.Text}: C# on .NET {Environment.Version}",
        ["debugger"] = false,
        ["help_links"] = new JsonArray(
            Link(".NET", "https://learn.microsoft.com/dotnet/"), Link("TorchSharp", "https://github.com/dotnet/TorchSharp")),
        ["supported_features"] = new JsonArray(),
    };

    private static JsonObject Link(string text, string url) => new() { ["text"] = text, ["url"] = url };
}
