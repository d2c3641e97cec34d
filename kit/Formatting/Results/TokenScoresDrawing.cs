using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws texts with shaded tokens as a figure of its own: one number of each token, in lines.</summary>
internal static class TokenScoresDrawing
{
    private const double Width = 720, LineHeight = 20, Size = 12;

    public static Drawing DrawAlone(TokenScores scores, int score)
    {
        var shades = TokenShades.Of(scores, score);
        var drawing = new Drawing(Width, 0, $"{Visible.OneLine(scores.ToString())}; {Visible.OneLine(scores.Names[score])}");
        drawing.Shapes.Add(new Words(8, 18, Visible.OneLine(scores.Title)) { Size = 13, IsBold = true });
        drawing.Shapes.Add(new Words(8, 36, Visible.OneLine(string.Join(" · ",
            new[] { scores.Names[score], $"{Numbers.Short(shades.Low)} … {Numbers.Short(shades.High)} {scores.Unit}".Trim() }))));
        var y = 46.0;
        foreach (var text in scores.Texts) y = Add(drawing, text, score, shades, y) + 8;
        return drawing with { Height = y + EvidenceCaption.Add(drawing, scores.Evidence, 8, y, Width - 16) + 8 };
    }

    private static double Add(Drawing drawing, ScoredText text, int score, TokenShades shades, double y)
    {
        var x = 8.0;
        for (var token = 0; token < text.Tokens.Count; token++)
        {
            var shown = Visible.Token(text.Tokens[token], 40);
            var width = Drawing.WidthOf(shown, Size) + 3;
            if (x + width > Width - 8 && x > 8) (x, y) = (8, y + LineHeight);
            var (color, opacity) = shades.Of(text.Scores[token, score]);
            if (opacity > 0)
                drawing.Shapes.Add(new Box(x, y, width, LineHeight - 3, color.ToString())
                { Opacity = opacity, Radius = 2, Title = Numbers.Short(text.Scores[token, score]) });
            drawing.Shapes.Add(new Words(x + (width / 2), y + 13, shown, TextAnchor.Middle) { Size = Size });
            x += width + 1;
            if (text.Tokens[token].EndsWith('\n')) (x, y) = (8, y + LineHeight);
        }
        return y + LineHeight;
    }
}
