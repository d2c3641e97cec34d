namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Cells of JavaScript that run in the page that shows the notebook.</summary>
public sealed class JavaScriptLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "javascript";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public IReadOnlyList<string> Aliases => ["js"];

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) =>
        ShownText.Show(code, context, text => new() { ["text/html"] = ScriptHtml.Of(text) });
}
