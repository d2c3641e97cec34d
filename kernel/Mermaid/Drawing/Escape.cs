using System.Text;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>Escapes text for SVG and HTML.</summary>
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
