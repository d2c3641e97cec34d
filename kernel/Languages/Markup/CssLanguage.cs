namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>Cells that are a style sheet for the page that they are on.</summary>
public sealed class CssLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "css";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) => ShownText.Show(code, context, text => new()
    {
        // In a style sheet "<\/" is "</"; in the page around it, it ends nothing.
        ["text/html"] = $"<style>\n{text.Replace("</", "<\\/", StringComparison.Ordinal)}\n</style>",
    });
}
