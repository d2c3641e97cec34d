using System.Text.RegularExpressions;

namespace ResearchKit.Kernel.Cells;

/// <summary>
/// Converts terminal output to plain text: without color codes, and with only the last state of lines that were
/// overwritten.
/// </summary>
internal static partial class TerminalText
{
    public static string Plain(string text)
    {
        var clean = Sequence().Replace(text, "").Replace("\r\n", "\n", StringComparison.Ordinal);
        if (!clean.Contains('\r', StringComparison.Ordinal)) return clean;
        return string.Join('\n', clean.Split('\n').Select(Rewritten));
    }

    /// <summary>Returns the first line without control characters.</summary>
    public static string OneLine(string text) =>
        string.Concat(Plain(text).Split('\n', 2)[0].Where(c => !char.IsControl(c))).Trim();

    /// <summary>Returns the first line that is not blank.</summary>
    public static string FirstLine(string text) =>
        OneLine(text.ReplaceLineEndings("\n").Split('\n').FirstOrDefault(line => !string.IsNullOrWhiteSpace(line)) ?? "");

    private static string Rewritten(string line)
    {
        var end = line.TrimEnd('\r');
        return end[(end.LastIndexOf('\r') + 1)..];
    }

    [GeneratedRegex(
        @"\x1B\[[0-?]*[ -/]*[@-~]|\x1B\][^\x07\x1B]*(?:\x07|\x1B\\)|\x1B[@-Z\\-_]|[\x00-\x08\x0B\x0C\x0E-\x1A\x1C-\x1F]")]
    private static partial Regex Sequence();
}
