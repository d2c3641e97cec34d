namespace ResearchKit.Kernel.Languages.Markup;

/// <summary>HTML cells: the text is displayed as HTML.</summary>
public sealed class HtmlLanguage : ILanguage
{
    /// <summary>The name after <c>#!</c>.</summary>
    public const string Id = "html";

    /// <inheritdoc/>
    public string Name => Id;

    /// <inheritdoc/>
    public Task<CellValue> RunAsync(string code, CellContext context) => ShownText.Show(code, context, text => new()
    {
        ["text/html"] = text,
    });
}
