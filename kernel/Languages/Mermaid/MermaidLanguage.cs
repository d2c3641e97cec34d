using ResearchKit.Kernel.Sessions.Globals;

namespace ResearchKit.Kernel.Languages.Mermaid;

/// <summary>Cells that are diagrams in the notation of Mermaid (https://mermaid.js.org), drawn here as SVG.</summary>
public sealed class MermaidLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "mermaid";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(context);
        context.Cancellation.ThrowIfCancellationRequested();
        CellFunctions.Show(MermaidDiagram.Of(code), []);
        return Task.FromResult(CellValue.None);
    }
}
