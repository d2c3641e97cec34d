namespace ResearchKit.Kernel.Languages.Python;

/// <summary>Prepares a part of a cell for IPython.</summary>
internal static class PythonCode
{
    /// <summary>
    /// Returns the code with leading blank lines replaced by comment lines, because IPython drops leading blank
    /// lines and its line numbers would then differ from those of the cell. Before a <c>%%</c> line, which must be
    /// the first, they are removed.
    /// </summary>
    public static string Of(string part)
    {
        var lines = part.ReplaceLineEndings("\n").Split('\n');
        var first = Array.FindIndex(lines, line => !string.IsNullOrWhiteSpace(line));
        if (first <= 0) return string.Join('\n', lines);
        if (lines[first].StartsWith("%%", StringComparison.Ordinal)) return string.Join('\n', lines[first..]);
        // IPython accepts cells in which every line is indented
        var indent = lines[first][..^lines[first].TrimStart().Length];
        return string.Join('\n', [.. Enumerable.Repeat($"{indent}#", first), .. lines[first..]]);
    }
}
