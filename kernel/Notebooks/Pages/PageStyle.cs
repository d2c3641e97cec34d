namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>How the page looks, from <c>PageStyle.css</c> beside this file.</summary>
internal static class PageStyle
{
    /// <summary>The style sheet.</summary>
    public static string Css { get; } = Read();

    private static string Read()
    {
        using var reader = new StreamReader(typeof(PageStyle).Assembly.GetManifestResourceStream("PageStyle.css")!);
        return reader.ReadToEnd();
    }
}
