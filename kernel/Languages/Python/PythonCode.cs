namespace ResearchKit.Kernel.Languages.Python;

/// <summary>A part of a cell as IPython should get it.</summary>
internal static class PythonCode
{
    /// <summary>
    /// IPython drops blank lines at the start, and its line numbers would no longer be the cell's: comments stand in for them.
    /// Not before a <c>%%</c> line, which must be the first.
    /// </summary>
    public static string Of(string part)
    {
        var lines = part.ReplaceLineEndings("\n").Split('\n');
        var first = Array.FindIndex(lines, line => !string.IsNullOrWhiteSpace(line));
        if (first <= 0) return string.Join('\n', lines);
        if (lines[first].StartsWith("%%", StringComparison.Ordinal)) return string.Join('\n', lines[first..]);
        var indent = lines[first][..^lines[first].TrimStart().Length];   // IPython allows a cell that is indented as a whole
        return string.Join('\n', [.. Enumerable.Repeat($"{indent}#", first), .. lines[first..]]);
    }
}
