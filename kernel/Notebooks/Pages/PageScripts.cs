using System.Security.Cryptography;
using System.Text;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// The scripts of a page. A browser runs those that were added here, by their hashes in the page's policy, and no others.
/// </summary>
internal sealed class PageScripts
{
    private static readonly Lazy<HashSet<string>> OfKit = new(() =>
        new[] { "CurveView.js", "AttentionView.js", "SortableTable.js", "TensorBrowser.js" }.Select(Resource)
            .ToHashSet(StringComparer.Ordinal));

    /// <summary>SHA-256 of scripts of the kit's earlier versions, which notebooks that were run with them hold.</summary>
    private static readonly HashSet<string> Earlier = ["rH7E59rEGmegMbmkgcdYNNuqyfeTxLTnHQ3Cn7oXxnQ="];   // AttentionView.js until November 2026

    private readonly SortedSet<string> hashes = new(StringComparer.Ordinal);

    /// <summary>The part of the policy that names the scripts.</summary>
    public string Policy => hashes.Count == 0 ? "script-src 'none'"
        : $"script-src {string.Join(' ', hashes.Select(hash => $"'sha256-{hash}'"))}";

    /// <summary>Returns whether the text is a script of the kit's own figures.</summary>
    public static bool IsOfKit(string script) =>
        script.ReplaceLineEndings("\n").Trim() is var text && (OfKit.Value.Contains(text) || Earlier.Contains(Hash(text)));

    /// <summary>Returns a script element that the page may run; in the text, nothing ends the element early.</summary>
    public string Element(string script)
    {
        // these spellings mean the same in JavaScript's texts, patterns and comments
        var text = script.Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase)
            .Replace("<!--", "\\x3C!--", StringComparison.Ordinal).ReplaceLineEndings("\n");
        Allow(text);
        return $"<script>{text}</script>";
    }

    /// <summary>Lets the page run a script.</summary>
    /// <param name="text">The text between the tags, with the line ends of the page.</param>
    public void Allow(string text) => hashes.Add(Hash(text));

    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(PageScripts).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd().ReplaceLineEndings("\n").Trim();
    }
}
