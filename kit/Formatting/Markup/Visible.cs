namespace ResearchKit.Formatting;

/// <summary>Makes invisible characters in tokens and names visible.</summary>
internal static class Visible
{
    /// <summary>
    /// Shows spaces as ·, line ends as ⏎, tabs as ⇥, other control characters and unpaired surrogates as �; longer
    /// text is shortened with ….
    /// </summary>
    public static string Token(string text, int longest = 16)
    {
        if (text.Length == 0) return "∅";
        var shown = OneLine(text).Replace(' ', '·').Replace('\u00a0', '·');
        if (shown.Length <= longest) return shown;
        var end = char.IsHighSurrogate(shown[longest - 2]) ? longest - 2 : longest - 1;
        return $"{shown[..end]}…";
    }

    /// <summary>A label of a row or a column: spaces at its ends are shown as ·, those inside stay.</summary>
    public static string Label(string text, int longest = 24)
    {
        var shown = OneLine(text);
        var inside = shown.Trim(' ');
        var start = shown.Length - shown.TrimStart(' ').Length;
        shown = inside.Length == 0 ? new string('·', shown.Length)
            : new string('·', start) + inside + new string('·', shown.Length - start - inside.Length);
        if (shown.Length <= longest) return shown;
        var end = char.IsHighSurrogate(shown[longest - 2]) ? longest - 2 : longest - 1;
        return $"{shown[..end]}…";
    }

    /// <summary>Like <see cref="Token"/>, but keeps spaces and does not shorten.</summary>
    public static string OneLine(string text) => Lines(text).Replace('\n', '⏎').Replace('\t', '⇥');

    /// <summary>
    /// Returns multi-line text unchanged, except that control characters and unpaired surrogates, which no file can
    /// contain, are replaced.
    /// </summary>
    public static string Lines(string text) => string.Create(text.Length, text, (shown, source) =>
    {
        for (var i = 0; i < source.Length; i++)
            shown[i] = source[i] switch
            {
                '\n' or '\t' => source[i],
                '\r' => '\n',
                var c when char.IsControl(c) || IsHalf(source, i) => '\ufffd',
                var c => c,
            };
    });

    private static bool IsHalf(string text, int i) =>
        (char.IsHighSurrogate(text[i]) && (i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])))
        || (char.IsLowSurrogate(text[i]) && (i == 0 || !char.IsHighSurrogate(text[i - 1])));
}
