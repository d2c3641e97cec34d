namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>CSS cells: style sheets for the page that shows the notebook.</summary>
public sealed class CssLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "css";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) => ShownText.Show(code, context, text => new()
    {
        // CSS reads "<\/" as "</", and in HTML it cannot close the style element.
        ["text/html"] = $"<style>\n{text.Replace("</", "<\\/", StringComparison.Ordinal)}\n</style>",
    });
}
