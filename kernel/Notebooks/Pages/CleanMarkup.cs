using System.Text;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// Removes from the HTML and SVG of outputs what could run a script or load something. The page's policy forbids it as well, so
/// that a browser that reads the markup in another way does not run it either.
/// </summary>
internal sealed class CleanMarkup
{
    private static readonly HashSet<string> Dropped = new(StringComparer.OrdinalIgnoreCase)
        { "base", "embed", "frame", "frameset", "iframe", "link", "meta", "object" };
    private static readonly HashSet<string> Verbatim = new(StringComparer.OrdinalIgnoreCase)
        { "style", "textarea", "title", "xmp" };
    private static readonly HashSet<string> Addresses = new(StringComparer.OrdinalIgnoreCase)
        { "action", "formaction", "from", "href", "src", "to", "values", "xlink:href" };

    private readonly PageScripts scripts;
    private readonly string markup;
    private readonly StringBuilder clean = new();
    private int at;

    private CleanMarkup(string markup, PageScripts scripts) => (this.markup, this.scripts) = (markup, scripts);

    /// <summary>Whether something was removed.</summary>
    private bool IsChanged { get; set; }

    /// <summary>Returns the markup without scripts, except those of the kit, and whether something was removed.</summary>
    public static (string Markup, bool IsChanged) Of(string markup, PageScripts scripts)
    {
        var one = new CleanMarkup(markup, scripts);
        while (one.at < markup.Length) one.Next();
        return (one.clean.ToString(), one.IsChanged);
    }

    private void Next()
    {
        var open = markup.IndexOf('<', at);
        Copy(open < 0 ? markup.Length : open);
        if (open < 0) return;
        var rest = markup.AsSpan(at);
        if (rest.StartsWith("<!--")) Skip("-->", 4);
        else if (rest.StartsWith("<!") || rest.StartsWith("<?")) Skip(">", 2);
        else if (rest is ['<', >= 'A' and <= 'z', ..] or ['<', '/', >= 'A' and <= 'z', ..]) Tag();
        else Copy(at + 1);
    }

    private void Tag()
    {
        var start = at;
        var isEnd = markup[at + 1] == '/';
        var nameStart = at + (isEnd ? 2 : 1);
        at = nameStart;
        while (at < markup.Length && !char.IsWhiteSpace(markup[at]) && markup[at] is not ('>' or '/')) at++;
        var name = markup[nameStart..at];
        var kept = new StringBuilder(markup, start, at - start, at - start + 64);
        while (at < markup.Length && markup[at] != '>') Attribute(kept);
        if (at == markup.Length)   // a tag that never ends
        {
            IsChanged = true;
            return;
        }
        kept.Append(markup[at++]);
        if (name.Equals("script", StringComparison.OrdinalIgnoreCase)) Script(kept.ToString(), isEnd);
        else if (Dropped.Contains(name)) IsChanged = true;
        else
        {
            clean.Append(kept);
            if (!isEnd && Verbatim.Contains(name)) Copy(End(name));
        }
    }

    /// <summary>Reads one attribute, or the white space or slash before it, and keeps it unless it could run a script.</summary>
    private void Attribute(StringBuilder kept)
    {
        var start = at;
        if (char.IsWhiteSpace(markup[at]) || markup[at] == '/')
        {
            kept.Append(markup[at++]);
            return;
        }
        while (at < markup.Length && !char.IsWhiteSpace(markup[at]) && markup[at] is not ('>' or '/' or '=')) at++;
        if (at == start) at++;
        var name = markup[start..at];
        var value = Value();
        var isKept = !name.StartsWith("on", StringComparison.OrdinalIgnoreCase)
            && !name.Equals("srcdoc", StringComparison.OrdinalIgnoreCase)
            && !(Addresses.Contains(name) && IsScript(value));
        if (isKept) kept.Append(markup, start, at - start);
        else IsChanged = true;
    }

    private string Value()
    {
        var next = at;
        while (next < markup.Length && char.IsWhiteSpace(markup[next])) next++;
        if (next >= markup.Length || markup[next] != '=') return "";
        at = next + 1;
        while (at < markup.Length && char.IsWhiteSpace(markup[at])) at++;
        if (at >= markup.Length) return "";
        var start = at;
        if (markup[at] is '"' or '\'')
        {
            var end = markup.IndexOf(markup[at], at + 1);
            at = end < 0 ? markup.Length : end + 1;
        }
        else
        {
            while (at < markup.Length && !char.IsWhiteSpace(markup[at]) && markup[at] != '>') at++;
        }
        return markup[start..at].Trim('"', '\'');
    }

    /// <summary>A script element; those of the kit stay.</summary>
    private void Script(string tag, bool isEnd)
    {
        if (isEnd) return;
        var end = End("script");
        if (end == markup.Length && tag.EndsWith("/>", StringComparison.Ordinal))
        {
            IsChanged = true;
            return;
        }
        var text = markup[at..end].ReplaceLineEndings("\n");
        at = markup.IndexOf('>', end) is >= 0 and var close ? close + 1 : markup.Length;
        if (PageScripts.IsOfKit(text))
        {
            scripts.Allow(text);
            clean.Append("<script>").Append(text).Append("</script>");
        }
        else IsChanged = true;
    }

    private static bool IsScript(string address)
    {
        var plain = new string([.. System.Net.WebUtility.HtmlDecode(address).Where(c => c > ' ')]);
        return plain.StartsWith("javascript:", StringComparison.OrdinalIgnoreCase)
            || plain.StartsWith("vbscript:", StringComparison.OrdinalIgnoreCase)
            || plain.StartsWith("data:text", StringComparison.OrdinalIgnoreCase);
    }

    private int End(string name) =>
        markup.IndexOf($"</{name}", at, StringComparison.OrdinalIgnoreCase) is >= 0 and var end ? end : markup.Length;

    private void Copy(int end)
    {
        clean.Append(markup, at, end - at);
        at = end;
    }

    private void Skip(string end, int length) =>
        at = markup.IndexOf(end, at + length, StringComparison.Ordinal) is >= 0 and var found ? found + end.Length
            : markup.Length;
}
