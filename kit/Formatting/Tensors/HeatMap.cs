namespace ResearchKit.Formatting;

/// <summary>Draws a matrix of values as a heat map or as an image.</summary>
internal static class HeatMap
{
    /// <summary>Draws a heat map.</summary>
    public static Html Draw(TensorPanel panel, ColorScale scale, int panels)
    {
        var indexes = Array.ConvertAll(panel.Values, scale.IndexOf);
        return Figure(panel, PngImage.Indexed(panel.Columns, panel.Rows, indexes, scale.Palette), "heat map", panels);
    }

    /// <summary>Draws an image in grey or RGB.</summary>
    /// <param name="panel">Values from 0 to <paramref name="white"/>, channels last.</param>
    /// <param name="white">Value of the brightest pixel.</param>
    /// <param name="panels">Number of panels side by side.</param>
    public static Html Image(TensorPanel panel, double white, int panels)
    {
        var bytes = Array.ConvertAll(panel.Values, value => (byte)Math.Round(Math.Clamp(value / white, 0, 1) * 255));
        byte[] pixels = panel.Channels == 3 ? bytes : [.. bytes.SelectMany(grey => new[] { grey, grey, grey })];
        return Figure(panel, PngImage.Rgb(panel.Columns, panel.Rows, pixels), "image", panels);
    }

    private static Html Figure(TensorPanel panel, byte[] png, string kind, int panels)
    {
        var (width, height) = Size(panel, panels == 1 ? 256 : panels <= 4 ? 160 : 104);
        var label = panel.Label.Length == 0 ? Html.Empty : Html.Of($"<figcaption class=\"rk-num\">{panel.Label}</figcaption>");
        return Html.Of($"""
            <figure><span class="rk-map"><img src="{PngImage.DataUri(png)}" width="{width}" height="{height}"
            alt="{kind} {panel.Label} of {panel.Rows} × {panel.Columns} cells"/></span>{label}</figure>
            """);
    }

    /// <summary>
    /// Returns the size in pixels. Cells are square unless the image would be thinner than a sixteenth of its
    /// length.
    /// </summary>
    private static (int Width, int Height) Size(TensorPanel panel, int longest)
    {
        var cell = Math.Clamp((double)longest / Math.Max(panel.Rows, panel.Columns), 0.5, 24);
        int Pixels(int cells) => Math.Max((int)Math.Round(cells * cell), (int)Math.Min(longest / 16d, cells * 24d));
        return (Pixels(panel.Columns), Pixels(panel.Rows));
    }
}
