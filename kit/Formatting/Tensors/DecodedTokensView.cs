using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Shows tokens as text with their borders, and their numbers as titles.</summary>
internal static class DecodedTokensView
{
    private const int MostTokens = 4_000, MostRows = 32;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-pieces{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.9 ui-monospace,monospace;margin:2px 0}
        .rk-pieces span{border-radius:3px;padding:1px 0;background:color-mix(in srgb,var(--rk-accent) 26%,transparent)}
        .rk-pieces span:nth-child(even){background:color-mix(in srgb,currentColor 10%,transparent)}
        </style>
        """);

    public static Html Draw(DecodedTokens tokens)
    {
        var left = MostTokens;
        var rows = new List<Html>();
        foreach (var row in tokens.Rows.Take(MostRows))
        {
            if (left <= 0) break;
            rows.Add(Html.Of($"<div class=\"rk-pieces\">{row.Take(left).Select(Piece)}</div>"));
            left -= row.Count;
        }
        var missing = tokens.Rows.Sum(row => row.Count) - tokens.Rows.Take(rows.Count).Sum(row => row.Count) + Math.Max(0, -left);
        var more = missing > 0
            ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(missing)} more tokens are not shown</div>") : Html.Empty;
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>tokens</b><span class="rk-mute">{Numbers.Count(tokens.Rows.Count, "text")} · {Numbers.Count(tokens.Rows.Sum(row => row.Count), "token")}</span></div>{rows}{more}
            """), Style);
    }

    public static string Text(DecodedTokens tokens) => string.Join('\n', tokens.Rows.Take(MostRows).Select(row =>
        string.Join(' ', row.Take(MostTokens / MostRows).Select(token => $"{Visible.Token(token.Text)}:{token.Id}"))));

    private static Html Piece(DecodedToken token) => Html.Of(
        $"<span title=\"token {token.Id}\">{Visible.Lines(token.Text).Replace("\n", "⏎\n", StringComparison.Ordinal)}</span>");
}
