namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>The style sheet of pages, from <c>PageStyle.css</c> beside this file.</summary>
internal static class PageStyle
{
    /// <summary>The text of the style sheet.</summary>
    public static string Css { get; } = Read();

    private static string Read()
    {
        using var reader = new StreamReader(typeof(PageStyle).Assembly.GetManifestResourceStream("PageStyle.css")!);
        return reader.ReadToEnd();
    }
}
