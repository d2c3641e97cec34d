using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>
/// Shows texts with shaded tokens. With several numbers a token there is a text for each, and one of them is open: the
/// browser's own control, so that choosing needs no script.
/// </summary>
internal static class TokenScoresView
{
    private const int MostTokens = 8_000, MostStrongest = 15, MostScores = 32;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-tokens{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.8 ui-monospace,monospace;padding:6px 10px;border:1px solid var(--rk-line);border-radius:6px;max-width:100ch;margin:4px 0}
        .rk-tokens span{border-radius:2px;padding:1px 0}
        .rk-scores>summary{padding:1px 0}
        </style>
        """);

    public static Html Draw(TokenScores scores)
    {
        var shown = Math.Min(scores.Names.Count, MostScores);
        var left = scores.Names.Count > shown
            ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(scores.Names.Count - shown)} more numbers a token are not shown</div>") : Html.Empty;
        var group = shown > 1 ? $"rk-{Mark(scores)}" : "";
        var bodies = Enumerable.Range(0, shown).Select(score => shown == 1 ? Body(scores, 0, MostTokens)
            : Choice(scores, score, group, Body(scores, score, MostTokens / shown))).ToList();
        return Theme.Output(Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(scores.Title)}</b><span class="rk-mute">{Numbers.Count(scores.Texts.Count, "text")} · {Numbers.Count(scores.Texts.Sum(text => (long)text.Tokens.Count), "token")}</span></div>
            {bodies}{left}{EvidenceCaption.Draw(scores.Evidence)}
            """), Style);
    }

    /// <summary>Lists the strongest tokens of each score.</summary>
    public static string Text(TokenScores scores) => string.Join('\n',
    [
        Visible.OneLine(scores.ToString()),
        .. scores.Names.Take(MostScores).Select((name, score) => $"{Visible.OneLine(name)}: "
            + string.Join("  ", Strongest(scores, score)
            .Take(8).Select(found => $"{Token(scores, found.Text, found.Token)} {Numbers.Short(found.Value)}"))),
    ]);

    private static Html Choice(TokenScores scores, int score, string group, Html body)
    {
        var name = Visible.OneLine(scores.Names[score]);
        return score == 0
            ? Html.Of($"<details class=\"rk-scores\" name=\"{group}\" open=\"open\"><summary>{name}</summary>{body}</details>")
            : Html.Of($"<details class=\"rk-scores\" name=\"{group}\"><summary>{name}</summary>{body}</details>");
    }

    private static Html Body(TokenScores scores, int score, int most)
    {
        var shades = TokenShades.Of(scores, score);
        var texts = new List<Html>();
        var left = most;
        foreach (var text in scores.Texts)
        {
            var shown = Math.Min(text.Tokens.Count, Math.Max(0, left));
            left -= text.Tokens.Count;
            if (shown == 0 && text.Tokens.Count > 0) break;
            texts.Add(Html.Of($"<div class=\"rk-tokens\">{Enumerable.Range(0, shown).Select(token => Span(scores, text, token, score, shades))}</div>"));
        }
        var missing = scores.Texts.Sum(text => (long)text.Tokens.Count) - most;
        var more = missing > 0 ? Html.Of($"<div class=\"rk-cap\">{Numbers.Count(missing)} more tokens are not shown</div>") : Html.Empty;
        return Html.Of($"""
            <div class="rk-line rk-cap">{shades.Bar()}<span>{Visible.OneLine(scores.Unit)}</span></div>{texts}{more}
            <details><summary class="rk-cap">strongest tokens</summary>{ResultTableView.Fragment(Table(scores, score))}</details>
            """);
    }

    private static Html Span(TokenScores scores, ScoredText text, int token, int score, TokenShades shades)
    {
        var value = text.Scores[token, score];
        var shown = Visible.Lines(text.Tokens[token]).Replace("\n", "⏎\n", StringComparison.Ordinal);
        var title = $"{Visible.Token(text.Tokens[token])} at {token}: "
            + (double.IsNaN(value) ? "no number" : $"{Numbers.Short(value)} {Visible.OneLine(scores.Unit)}".TrimEnd());
        var css = shades.Css(value);
        return css.Length == 0 ? Html.Of($"<span title=\"{title}\">{shown}</span>")
            : Html.Of($"<span style=\"{css}\" title=\"{title}\">{shown}</span>");
    }

    private static ResultTable Table(TokenScores scores, int score) => new(
        [.. scores.Texts.Count > 1 ? ["text"] : Array.Empty<string>(), "position", "token", scores.Unit.Length > 0 ? $"value ({scores.Unit})" : "value"],
        [.. Strongest(scores, score).Select(found => (IReadOnlyList<object?>)
            [.. scores.Texts.Count > 1 ? [found.Text] : Array.Empty<object?>(), found.Token,
                Token(scores, found.Text, found.Token), found.Value])]);

    private static string Token(TokenScores scores, int text, int token) => Visible.Token(scores.Texts[text].Tokens[token], 24);

    private static IEnumerable<(int Text, int Token, double Value)> Strongest(TokenScores scores, int score) =>
        (from text in Enumerable.Range(0, scores.Texts.Count)
         from token in Enumerable.Range(0, scores.Texts[text].Tokens.Count)
         let value = scores.Texts[text].Scores[token, score]
         where !double.IsNaN(value)
         orderby Math.Abs(value) descending
         select (text, token, value)).Take(MostStrongest);

    /// <summary>
    /// A mark that differs between results, so that the choices of two outputs on a page do not close each other.
    /// </summary>
    private static string Mark(TokenScores scores) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{scores.Title}\n{string.Join('\n', scores.Names)}\n{string.Join('\n', scores.Texts.SelectMany(text => text.Tokens))}\n{scores.Texts.Sum(text => text.Scores.Cast<double>().Where(double.IsFinite).Sum()):R}"))))[..8];
}
