using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws a spectrogram: time to the right, low pitch at the bottom, sequential colors.</summary>
internal static class SpectrogramView
{
    private const int MostFrames = 1_024, MostBands = 256;

    public static Html Draw(Spectrogram spectrogram) => Theme.Output(Fragment(spectrogram));

    public static Html Fragment(Spectrogram spectrogram)
    {
        var frames = SampledAxis.AtMost(spectrogram.Values.GetLength(0), MostFrames);
        var bands = SampledAxis.AtMost(spectrogram.Values.GetLength(1), MostBands);
        if (frames.Length == 0 || bands.Length == 0)
            return Html.Of($"<div class=\"rk-cap\">{Visible.OneLine(spectrogram.ToString())}</div>");
        var scale = Scale(spectrogram);
        return Html.Of($"""
            <div class="rk-line"><b>{Visible.OneLine(spectrogram.Title)}</b>{scale.Bar()}<span>{Visible.OneLine(spectrogram.Unit)}</span></div>
            <div class="rk-scroll" tabindex="0" role="group" aria-label="{Visible.OneLine(spectrogram.Title)}">{DrawingSvg.Inline(Picture(spectrogram, frames, bands, scale, 4))}</div>
            <div class="rk-cap">{string.Join("; ", new[] { frames.Caption("frames"), bands.Caption("bands") }.OfType<string>())}</div>
            """);
    }

    public static string Text(Spectrogram spectrogram) => Visible.OneLine(spectrogram.ToString());

    /// <summary>Draws the spectrogram with its title and scale, to stand alone.</summary>
    public static Drawing DrawAlone(Spectrogram spectrogram)
    {
        const double Top = 46;
        var frames = SampledAxis.AtMost(spectrogram.Values.GetLength(0), MostFrames);
        var bands = SampledAxis.AtMost(spectrogram.Values.GetLength(1), MostBands);
        var scale = Scale(spectrogram);
        var drawing = Picture(spectrogram, frames, bands, scale, Top);
        drawing = drawing with { Width = Math.Max(drawing.Width, 360) };
        drawing.Shapes.Add(new Words(8, 18, Visible.OneLine(spectrogram.Title)) { Size = 13, IsBold = true });
        var used = Legend.Add(drawing, scale, 8, 27);
        drawing.Shapes.Add(new Words(16 + used, 36, Visible.OneLine(spectrogram.Unit)));
        return drawing;
    }

    private static Drawing Picture(Spectrogram spectrogram, SampledAxis frames, SampledAxis bands, ColorScale scale, double top)
    {
        const double Left = 30;
        var width = Math.Clamp(frames.Shown * 3.0, 120, 720);
        var height = Math.Clamp(bands.Shown * 2.0, 60, 220);
        var cells = bands.Indexes.Reverse().SelectMany(band => frames.Indexes.Select(frame =>
            scale.IndexOf(spectrogram.Values[frame, band]))).ToArray();
        var drawing = new Drawing(Left + width + 30, top + height + 36,
            $"spectrogram: {Visible.OneLine(spectrogram.ToString())}");
        drawing.Shapes.Add(new Raster(Left, top, width, height, frames.Shown, cells, scale.Palette));
        drawing.Shapes.Add(new Box(Left, top, width, height, "none") { Stroke = "#8f959c" });
        var end = spectrogram.Values.GetLength(0) * (spectrogram.SecondsPerFrame > 0 ? spectrogram.SecondsPerFrame : 1);
        drawing.Shapes.Add(new Words(Left, top + height + 14, "0", TextAnchor.Middle));
        drawing.Shapes.Add(new Words(Left + width, top + height + 14, Numbers.Short(end), TextAnchor.Middle));
        drawing.Shapes.Add(new Words(Left + (width / 2), top + height + 28, spectrogram.SecondsPerFrame > 0 ? "seconds" : "frame",
            TextAnchor.Middle));
        drawing.Shapes.Add(new Words(16, top + (height / 2), "band, low to high", TextAnchor.Middle) { Turn = -90 });
        return drawing;
    }

    /// <summary>Sequential also where a logarithm has both signs: its zero means nothing.</summary>
    private static ColorScale Scale(Spectrogram spectrogram) =>
        ColorScale.Of(spectrogram.Values.Cast<double>(), isSequential: true);
}
