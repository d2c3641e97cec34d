using ResearchKit.Interpretability;

namespace ResearchKit.Formatting;

/// <summary>Shows a weight: its histogram, its spectrum, and its filters as images.</summary>
internal static class WeightView
{
    private const int MostShown = 64;
    private const double Width = 300, Height = 110, Left = 52;

    public static Html Draw(WeightSummary weight) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>{Visible.OneLine(weight.ToString())}</b></div>
        <div class="rk-many">{DrawingSvg.Inline(Histogram(weight))}{(weight.SingularValues.Count > 1 ? DrawingSvg.Inline(Spectrum(weight)) : Html.Empty)}</div>
        {Filters(weight)}
        """));

    public static string Text(WeightSummary weight) => $"{Visible.OneLine(weight.ToString())}\n"
        + $"histogram {Sparkline.Text(weight.Statistics.Histogram.Counts)}";

    private static Drawing Histogram(WeightSummary weight)
    {
        var counts = weight.Statistics.Histogram.Counts;
        var drawing = Frame($"histogram of {Visible.OneLine(weight.ToString())}", "values",
            Numbers.Short(weight.Statistics.Minimum), Numbers.Short(weight.Statistics.Maximum),
                Numbers.Count(counts.DefaultIfEmpty().Max()), "0");
        var most = Math.Max(1, counts.DefaultIfEmpty().Max());
        for (var bin = 0; bin < counts.Count; bin++)
        {
            var height = Height * counts[bin] / most;
            drawing.Shapes.Add(new Box(Left + (bin * Width / counts.Count), 8 + Height - height, Width / counts.Count,
                height, Theme.ColorOf(0))
            { Title = $"about {Numbers.Short(weight.Statistics.Histogram.Edges[bin])}: {Numbers.Count(counts[bin])} of the sample" });
        }
        return drawing;
    }

    /// <summary>Draws the singular values, on a logarithmic axis over at most six decades.</summary>
    private static Drawing Spectrum(WeightSummary weight)
    {
        var values = weight.SingularValues;
        var high = Math.Log10(Math.Max(values[0], 1e-30));
        var low = Math.Max(high - 6, Math.Log10(Math.Max(values[^1], 1e-30)));
        if (high - low < 1e-9) low = high - 1;
        var drawing = Frame($"spectrum of {Visible.OneLine(weight.ToString())}", "singular values, logarithmic", "1",
            Numbers.Count(values.Count), Numbers.Short(values[0]), Numbers.Short(Math.Pow(10, low)));
        (double X, double Y) At(int number) => (Left + (Width * number / Math.Max(1, values.Count - 1)),
            8 + (Height * (high - Math.Clamp(Math.Log10(Math.Max(values[number], 1e-30)), low, high)) / (high - low)));
        var every = Math.Max(1, values.Count / 150);
        for (var number = 0; number + every < values.Count; number += every)
        {
            var (from, to) = (At(number), At(number + every));
            drawing.Shapes.Add(new Wire(from.X, from.Y, to.X, to.Y, Theme.ColorOf(0), 1.8));
        }
        return drawing;
    }

    private static Drawing Frame(string label, string name, string left, string right, string top, string bottom)
    {
        var drawing = new Drawing(Left + Width + 16, Height + 42, label);
        drawing.Shapes.Add(new Box(Left, 8, Width, Height, "none") { Stroke = "#8f959c" });
        drawing.Shapes.Add(new Words(Left, Height + 22, left));
        drawing.Shapes.Add(new Words(Left + Width, Height + 22, right, TextAnchor.End));
        drawing.Shapes.Add(new Words(Left + (Width / 2), Height + 36, name, TextAnchor.Middle));
        drawing.Shapes.Add(new Words(Left - 5, 16, top, TextAnchor.End));
        drawing.Shapes.Add(new Words(Left - 5, 8 + Height, bottom, TextAnchor.End));
        return drawing;
    }

    /// <summary>
    /// Filters of three channels as color images, each stretched to its range; others as heat maps, a channel each.
    /// </summary>
    private static Html Filters(WeightSummary weight)
    {
        if (weight.Filters.Count == 0) return Html.Empty;
        var isColor = weight.Shape[1] == 3;
        var channels = weight.Filters[0].GetLength(0);
        var shown = Math.Min(weight.Filters.Count, isColor ? MostShown : Math.Max(1, MostShown / channels));
        var scale = ColorScale.Of([weight.Statistics.Minimum, weight.Statistics.Maximum]);
        var images = Enumerable.Range(0, shown).SelectMany(filter => isColor ? [Color(weight.Filters[filter], filter)]
            : Enumerable.Range(0, channels).Select(channel => Map(weight.Filters[filter], filter, channel, scale)));
        var note = $"{Numbers.Count(shown)} of {Numbers.Count(weight.Shape[0], "filter")}"
            + (isColor ? ", each stretched to its range"
                : $", {Numbers.Count(channels)} of {Numbers.Count(weight.Shape[1], "channel")} each");
        return Html.Of($"<div class=\"rk-line rk-cap\">{note}{(isColor ? Html.Empty : scale.Bar())}</div><div "
            + $"class=\"rk-many\">{images}</div>");
    }

    private static Html Color(double[,,] filter, int number)
    {
        var values = filter.Cast<double>().ToList();
        var (low, high) = (values.Min(), values.Max());
        var (rows, columns) = (filter.GetLength(1), filter.GetLength(2));
        var pixels = new byte[rows * columns * 3];
        for (var row = 0; row < rows; row++)
            for (var column = 0; column < columns; column++)
                for (var channel = 0; channel < 3; channel++)
                    pixels[(((row * columns) + column) * 3) + channel] = high > low
                        ? (byte)Math.Round(255 * (filter[channel, row, column] - low) / (high - low)) : (byte)128;
        return Image(PngImage.Rgb(columns, rows, pixels), rows, columns, $"filter {number}");
    }

    private static Html Map(double[,,] filter, int number, int channel, ColorScale scale)
    {
        var (rows, columns) = (filter.GetLength(1), filter.GetLength(2));
        var indexes = new byte[rows * columns];
        for (var cell = 0; cell < indexes.Length; cell++)
            indexes[cell] = scale.IndexOf(filter[channel, cell / columns, cell % columns]);
        return Image(PngImage.Indexed(columns, rows, indexes, scale.Palette), rows, columns,
            $"filter {number}, channel {channel}");
    }

    private static Html Image(byte[] png, int rows, int columns, string label)
    {
        var cell = Math.Clamp(42 / Math.Max(rows, columns), 2, 12);
        return Html.Of($"<span class=\"rk-map\"><img src=\"{PngImage.DataUri(png)}\" width=\"{columns * cell}\" "
            + $"height=\"{rows * cell}\" alt=\"{label}\" title=\"{label}\"/></span>");
    }
}
