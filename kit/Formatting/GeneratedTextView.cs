using ResearchKit.Models;

namespace ResearchKit.Formatting;

/// <summary>
/// Draws generated text: the prompt muted, and each token with a background that is stronger the more probable
/// the token was.
/// </summary>
internal static class GeneratedTextView
{
    private const int MostTokens = 4_000;
    private const int Shades = 10;

    private static readonly Html Style = Html.Verbatim(
        """
        <style>
        .rk-text{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.7 ui-monospace,monospace;padding:8px 10px;border:1px solid var(--rk-line);border-radius:6px;max-width:80ch}
        .rk-p{background:color-mix(in srgb,var(--rk-accent) calc(var(--p)*6%),transparent);border-radius:2px}
        </style>
        """);

    public static Html Draw(GeneratedText text)
    {
        var count = Math.Min(text.Tokens.Count, text.Pieces.Count);
        var shaded = Enumerable.Range(0, Math.Min(count, MostTokens))
            .Select(index => Token(text.Tokens[index], text.Pieces[index]));
        var rest = string.Concat(text.Pieces.Skip(Math.Min(count, MostTokens)));
        var scale = Enumerable.Range(0, Shades + 1)
            .Select(shade => Html.Of($"<span class=\"rk-p\" style=\"--p:{shade}\">&#160;</span>"));
        return Theme.Output(Html.Of($"""
            <div class="rk-line rk-cap"><span>{Numbers.Count(text.Tokens.Count, "token")}</span>
            <span role="img" aria-label="the ground is stronger where a token was more probable">improbable {scale} certain</span></div>
            <div class="rk-text"><span class="rk-mute">{text.Prompt}</span>{shaded}{rest}</div>
            """), Style);
    }

    private static Html Token(GeneratedToken token, string piece)
    {
        var shade = double.IsNaN(token.Probability) ? 0 : Math.Round(Math.Clamp(token.Probability, 0, 1) * Shades);
        var title = $"token {token.Id}, probability {Numbers.Short(token.Probability)}";
        return Html.Of($"<span class=\"rk-p\" style=\"--p:{shade}\" title=\"{title}\">{piece}</span>");
    }
}
