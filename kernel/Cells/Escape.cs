using System.Text;

namespace ResearchKit.Kernel.Cells;

/// <summary>Escapes text for HTML.</summary>
internal static class Escape
{
    public static string Html(string text)
    {
        var html = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            html.Append(c switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\0' => "\uFFFD",
                _ => null,
            });
            if (c is not ('&' or '<' or '>' or '"' or '\'' or '\0')) html.Append(c);
        }
        return html.ToString();
    }
}
