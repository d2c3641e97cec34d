using System.Globalization;
using System.Text;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;
using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Drawing;

/// <summary>
/// Writes SVG elements. All text is escaped. There are no ids, so that several drawings on one page cannot
/// conflict.
/// </summary>
internal sealed class Svg
{
    private readonly StringBuilder text = new();

    public static string Number(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>
    /// Returns the complete SVG with its style, and with title and description for screen readers.
    /// </summary>
    /// <param name="bounds">The visible area.</param>
    /// <param name="title">The title of the drawing.</param>
    /// <param name="description">A description in sentences.</param>
    public string Document(Box bounds, string title, string description)
    {
        var (width, height) = (Number(bounds.Width), Number(bounds.Height));
        var least = Number(Math.Min(bounds.Width, Math.Max(320, bounds.Width * 0.6)));
        return $"<div class=\"rk-mermaid\"><style>{MermaidStyle.Css}</style>"
            + $"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" "
            + $"viewBox=\"{Number(bounds.X)} {Number(bounds.Y)} {width} {height}\" style=\"min-width:{least}px\" fill=\"none\" "
                + $"stroke=\"none\">"
            + $"<title>{Escape.Html(title)}</title><desc>{Escape.Html(description)}</desc>\n{text}</svg></div>";
    }

    public void Open(string kind, Paint? paint = null) =>
        text.Append(CultureInfo.InvariantCulture, $"<g class=\"{kind}\"{Style(paint)}>");

    public void Close() => text.Append("</g>\n");

    public void Rectangle(Box box, double corner = 0, string kind = "", string style = "") =>
        text.Append("<rect").Append(Class(kind)).Append(CultureInfo.InvariantCulture,
            $" x=\"{Number(box.X)}\" y=\"{Number(box.Y)}\" width=\"{Number(box.Width)}\" height=\"{Number(box.Height)}\"")
            .Append(corner > 0 ? $" rx=\"{Number(corner)}\"" : "").Append(style.Length > 0 ? $" style=\"{style}\"" : "")
                .Append("/>");

    public void Ellipse(Point centre, double x, double y, string kind = "") => text.Append("<ellipse").Append(Class(kind)).Append(
        CultureInfo.InvariantCulture,
        $" cx=\"{Number(centre.X)}\" cy=\"{Number(centre.Y)}\" rx=\"{Number(x)}\" ry=\"{Number(y)}\"/>");

    public void Polygon(IEnumerable<Point> points, string kind = "") =>
        text.Append("<polygon").Append(Class(kind)).Append($" points=\"{string.Join(' ', points.Select(Pair))}\"/>");

    public void Path(string way, string kind = "", string style = "") =>
        text.Append("<path").Append(Class(kind)).Append($" d=\"{way}\"").Append(style.Length > 0 ? $" style=\"{style}\"" : "")
            .Append("/>");

    public void Line(Point from, Point to, string kind = "") => Path($"M{Pair(from)} L{Pair(to)}", kind);

    /// <summary>Draws lines of text around a center.</summary>
    public void Centred(TextBlock block, Point centre, string? color = null) =>
        Text(block, new Point(centre.X, centre.Y - (block.Height / 2)), "middle", "", color);

    /// <summary>Draws lines of text below a point.</summary>
    /// <param name="block">The lines.</param>
    /// <param name="top">The point at the top of the first line.</param>
    /// <param name="anchor">
    /// Which part of each line is at the point: <c>start</c>, <c>middle</c> or <c>end</c>.
    /// </param>
    /// <param name="kind">The CSS class of the text.</param>
    /// <param name="color">The author's color, validated by <see cref="Paint"/>.</param>
    public void Text(TextBlock block, Point top, string anchor, string kind = "", string? color = null)
    {
        if (block.IsEmpty) return;
        var style = $"font-size:{Number(block.Size)}px" + (block.IsBold ? ";font-weight:600" : "")
            + (color is null ? "" : $";fill:{color}");
        for (var i = 0; i < block.Lines.Count; i++)
        {
            if (block.Lines[i].Length == 0) continue;
            var baseline = top.Y + (block.LineHeight * i) + (block.LineHeight / 2) + (block.Size * 0.35);
            text.Append("<text").Append(Class(kind)).Append(CultureInfo.InvariantCulture,
                $" x=\"{Number(top.X)}\" y=\"{Number(baseline)}\" text-anchor=\"{anchor}\" fill=\"currentColor\" "
                    + $"style=\"{style}\">{Escape.Html(block.Lines[i])}</text>");
        }
    }

    public static string Pair(Point point) => $"{Number(point.X)},{Number(point.Y)}";

    /// <summary>Returns the author's colors as the text of a style attribute.</summary>
    public static string Css(Paint paint) => string.Concat(
        paint.Fill is { } fill ? $"fill:{fill};" : "",
        paint.Stroke is { } stroke ? $"stroke:{stroke};" : "",
        paint.Width is { } width ? $"stroke-width:{Number(width)}px;" : "",
        paint.IsDashed ? "stroke-dasharray:5 4;" : "");

    private static string Style(Paint? paint) =>
        paint is not null && Css(paint) is { Length: > 0 } css ? $" style=\"{css}\"" : "";

    private static string Class(string kind) => kind.Length > 0 ? $" class=\"{kind}\"" : "";
}
