using System.Globalization;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>Writes a drawing as SVG 1.1.</summary>
internal static class DrawingSvg
{
    private const string Font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

    /// <summary>Returns the figure as a part of a page, whose text color it takes.</summary>
    public static Html Inline(Drawing drawing) => Html.Of($"""
        {drawing.Style}<svg class="{(drawing.Class.Length == 0 ? "rk-drawing" : $"rk-drawing {drawing.Class}")}" width="{drawing.Width:0}" height="{drawing.Height:0}" viewBox="0 0 {drawing.Width:0} {drawing.Height:0}" role="img" aria-label="{drawing.Label}">{Shapes(drawing)}</svg>
        """);

    /// <summary>Returns the figure as an SVG file of its own, on a white or a dark ground.</summary>
    public static string Document(Drawing drawing, bool dark)
    {
        var (ink, ground) = Ground(dark);
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + Html.Of($"""
            <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{drawing.Width:0}" height="{drawing.Height:0}" viewBox="0 0 {drawing.Width:0} {drawing.Height:0}" color="{ink}" font-family="{Font}" font-size="{Drawing.TextSize:0}" role="img" aria-label="{drawing.Label}"><title>{drawing.Label}</title><rect width="100%" height="100%" fill="{ground}"/>{Shapes(drawing, isFile: true)}</svg>
            """) + "\n";
    }

    /// <summary>The color of text and lines, and of the ground.</summary>
    public static (string Ink, string Ground) Ground(bool dark) => dark ? ("#e3e7eb", "#15181c") : ("#1c2126", "#ffffff");

    private static List<Html> Shapes(Drawing drawing, bool isFile = false) =>
        [.. drawing.Shapes.Select(shape => shape switch
        {
            Box box => Write(box),
            Wire wire => Write(wire),
            Words words => Write(words, isFile),
            Raster raster => Write(raster, isFile),
            _ => Html.Empty,
        })];

    private static Html Write(Box box) => Html.Of($"""
        <rect{Class(box)} x="{box.X:0.#}" y="{box.Y:0.#}" width="{box.Width:0.#}" height="{box.Height:0.#}" fill="{box.Fill}"{Number("rx", box.Radius, 0)}{Text("stroke", box.Stroke)}{Number("fill-opacity", box.Opacity, 1)}{(box.IsFocusable ? Html.Of($" tabindex=\"0\" role=\"img\" aria-label=\"{box.Title}\"") : Html.Empty)}{End(box, "rect")}
        """);

    private static Html Write(Wire wire) => Html.Of($"""
        <path{Class(wire)} d="{Path(wire)}" fill="none" stroke="{wire.Color}"{Number("stroke-width", wire.Thickness, 1)}{Number("stroke-opacity", wire.Opacity, 1)}{End(wire, "path")}
        """);

    private static Html Write(Words words, bool isFile)
    {
        var place = words.Turn == 0 ? Html.Of($" x=\"{words.X:0.#}\" y=\"{words.Y:0.#}\"")
            : Html.Of($" transform=\"translate({words.X:0.#} {words.Y:0.#}) rotate({words.Turn:0.#})\"");
        var anchor = words.Anchor switch { TextAnchor.Middle => "middle", TextAnchor.End => "end", _ => null };
        // a page's style sets size and color of all text, and a style attribute has precedence over it
        var color = words.Color == Drawing.Ink && !isFile ? Html.Empty : Html.Of($"fill:{words.Color};");
        var size = words.Size == Drawing.TextSize ? Html.Empty : Html.Of($"font-size:{words.Size:0.#}px;");
        var style = color == Html.Empty && size == Html.Empty ? Html.Empty : Html.Of($" style=\"{color}{size}\"");
        var title = words.Title is null ? Html.Empty : Html.Of($"<title>{words.Title}</title>");
        return Html.Of($"""
            <text{Class(words)}{place}{Text("text-anchor", anchor)}{Text("font-weight", words.IsBold ? "600" : null)}{style}>{words.Text}{title}</text>
            """);
    }

    private static Html Write(Raster raster, bool isFile)
    {
        var png = PngImage.DataUri(PngImage.Indexed(raster.Columns, raster.Rows, raster.Indexes, raster.Palette));
        return Html.Of($"""
            <image{Class(raster)} x="{raster.X:0.#}" y="{raster.Y:0.#}" width="{raster.Width:0.#}" height="{raster.Height:0.#}" preserveAspectRatio="none" style="image-rendering:pixelated" {(isFile ? "xlink:href" : "href")}="{png}"{End(raster, "image")}
            """);
    }

    private static string Path(Wire wire)
    {
        var path = new StringBuilder();
        var middle = (wire.FromX + wire.ToX) / 2;
        path.Append(CultureInfo.InvariantCulture, $"M{wire.FromX:0.#} {wire.FromY:0.#}");
        if (wire.IsCurved)
            path.Append(CultureInfo.InvariantCulture,
                $"C{middle:0.#} {wire.FromY:0.#} {middle:0.#} {wire.ToY:0.#} {wire.ToX:0.#} {wire.ToY:0.#}");
        else path.Append(CultureInfo.InvariantCulture, $"L{wire.ToX:0.#} {wire.ToY:0.#}");
        return path.ToString();
    }

    private static Html Class(Shape shape) => Text("class", shape.Class);

    private static Html End(Shape shape, string element) => shape.Title is null ? Html.Verbatim("/>") : element switch
    {
        "rect" => Html.Of($"><title>{shape.Title}</title></rect>"),
        "path" => Html.Of($"><title>{shape.Title}</title></path>"),
        _ => Html.Of($"><title>{shape.Title}</title></image>"),
    };

    private static Html Text(string name, string? value) => value is null ? Html.Empty : Html.Of($" {name}=\"{value}\"");

    private static Html Number(string name, double value, double usual) =>
        value == usual ? Html.Empty : Html.Of($" {name}=\"{value:0.##}\"");
}
