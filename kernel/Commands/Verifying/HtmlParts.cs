using System.Net;
using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Commands.Verifying;

/// <summary>
/// Splits an HTML output into its visible text and its images and scripts, which are compared by kind and size.
/// </summary>
internal static partial class HtmlParts
{
    private const string Mime = "text/html";

    public static IEnumerable<OutputPart> Of(string html)
    {
        var pictures = Pictures(html).ToList();
        var without = Comment().Replace(Picture().Replace(html, " "), "");
        var text = WebUtility.HtmlDecode(Tag()
            .Replace(CellEnd().Replace(LineEnd().Replace(LineBreak().Replace(without, " "), "\n"), "  "), ""));
        var lines = text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);
        return pictures.Prepend(OutputPart.OfText($"{Mime}: text", string.Join('\n', lines)));
    }

    private static IEnumerable<OutputPart> Pictures(string html)
    {
        foreach (Match match in Picture().Matches(html))
        {
            var kind = match.Groups["kind"].Value.ToLowerInvariant();
            if (kind == "style") continue;
            yield return OutputPart.OfPicture($"{Mime}: {kind}", match.Length);
        }
        foreach (Match match in Image().Matches(html))
            yield return OutputPart.OfPicture($"{Mime}: {match.Groups[1].Value}", match.Length);
    }

    [GeneratedRegex(@"<(?<kind>style|script|svg|canvas|iframe|video|audio)\b.*?</\k<kind>\s*>",
        RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex Picture();

    [GeneratedRegex(@"data:(image/[\w.+-]+)[;,][^""')\s]*")]
    private static partial Regex Image();

    [GeneratedRegex("<!--.*?-->", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\s*[\r\n]\s*")]
    private static partial Regex LineBreak();

    [GeneratedRegex(
        @"</?(?:div|p|tr|table|thead|tbody|ul|ol|li|dl|h[1-6]|pre|details|summary|figure|figcaption|section|br|hr)\b[^>]*>",
        RegexOptions.IgnoreCase)]
    private static partial Regex LineEnd();

    [GeneratedRegex(@"</(?:td|th|dt|dd|span)\s*>", RegexOptions.IgnoreCase)]
    private static partial Regex CellEnd();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
