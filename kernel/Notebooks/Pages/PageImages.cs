using System.Text.Json.Nodes;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>
/// Finds the images of a text to embed them in the page: attachments, and files in the notebook's folder or
/// below.
/// </summary>
internal sealed class PageImages(string folder)
{
    private const long Largest = 8 << 20;

    /// <summary>Returns an image as a data URL; null if it cannot be embedded.</summary>
    public string? Find(string url, JsonObject? attachments)
    {
        if (url.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase)) return url;
        if (url.StartsWith("attachment:", StringComparison.Ordinal))
            return Attachment(attachments?[Uri.UnescapeDataString(url["attachment:".Length..])] as JsonObject);
        var isElsewhere = url.Contains(':', StringComparison.Ordinal) || url.StartsWith("//", StringComparison.Ordinal);
        return isElsewhere ? null : LocalFile(Uri.UnescapeDataString(url));
    }

    private static string? Attachment(JsonObject? bundle) =>
        bundle?.FirstOrDefault(entry => entry.Key.StartsWith("image/", StringComparison.Ordinal)) is { Key: { } mime } entry
            ? $"data:{mime};base64,{MultilineText.Join(entry.Value).ReplaceLineEndings("")}"
            : null;

    private string? LocalFile(string relative)
    {
        var root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var path = Path.GetFullPath(relative, root);
        var mime = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".png" => "image/png",
            ".jpg" or ".jpeg" => "image/jpeg",
            ".gif" => "image/gif",
            ".webp" => "image/webp",
            ".svg" => "image/svg+xml",
            _ => null,
        };
        if (mime is null || !path.StartsWith(root, StringComparison.Ordinal)) return null;
        var file = new FileInfo(path);
        return file.Exists && file.Length <= Largest ? $"data:{mime};base64,{Convert.ToBase64String(File.ReadAllBytes(path))}"
            : null;
    }
}
