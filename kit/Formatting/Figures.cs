using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Exports figures of results as files: SVG for papers, PNG for the rest.</summary>
public static class Figures
{
    /// <summary>Draws a grid as an SVG file with its title, scale and evidence.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The text of the file.</returns>
    public static string ToSvg(this Grid grid, bool dark = false) => DrawingSvg.Document(Of(grid), dark);

    /// <summary>Draws a grid as a PNG file with its title, scale and evidence.</summary>
    /// <param name="grid">The grid.</param>
    /// <param name="scale">Pixels for each of the SVG's.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The bytes of the file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A side would have more than 16,384 pixels.</exception>
    /// <exception cref="InvalidOperationException">The machine has no font for the texts.</exception>
    public static byte[] ToPng(this Grid grid, double scale = 2, bool dark = false) => DrawingPng.Paint(Of(grid), scale, dark);

    /// <summary>Draws texts with shaded tokens as an SVG file.</summary>
    /// <param name="scores">The texts and their numbers.</param>
    /// <param name="name">Which number of each token is drawn; null for the first.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The text of the file.</returns>
    /// <exception cref="KeyNotFoundException">No number has this name; the message lists those that exist.</exception>
    public static string ToSvg(this TokenScores scores, string? name = null, bool dark = false) =>
        DrawingSvg.Document(Of(scores, name), dark);

    /// <summary>Draws texts with shaded tokens as a PNG file.</summary>
    /// <param name="scores">The texts and their numbers.</param>
    /// <param name="name">Which number of each token is drawn; null for the first.</param>
    /// <param name="scale">Pixels for each of the SVG's.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The bytes of the file.</returns>
    /// <inheritdoc cref="ToPng(Grid, double, bool)" path="/exception"/>
    public static byte[] ToPng(this TokenScores scores, string? name = null, double scale = 2, bool dark = false) =>
        DrawingPng.Paint(Of(scores, name), scale, dark);

    /// <summary>Draws a graph as an SVG file with its title and evidence.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The text of the file.</returns>
    public static string ToSvg(this Graph graph, bool dark = false) => DrawingSvg.Document(Of(graph), dark);

    /// <summary>Draws a graph as a PNG file with its title and evidence.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="scale">Pixels for each of the SVG's.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The bytes of the file.</returns>
    /// <inheritdoc cref="ToPng(Grid, double, bool)" path="/exception"/>
    public static byte[] ToPng(this Graph graph, double scale = 2, bool dark = false) => DrawingPng.Paint(Of(graph), scale, dark);

    /// <summary>Draws a map of points as an SVG file with its title, legend and evidence.</summary>
    /// <param name="map">The map.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The text of the file.</returns>
    public static string ToSvg(this PointMap map, bool dark = false) => DrawingSvg.Document(Of(map), dark);

    /// <summary>Draws a map of points as a PNG file with its title, legend and evidence.</summary>
    /// <param name="map">The map.</param>
    /// <param name="scale">Pixels for each of the SVG's.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The bytes of the file.</returns>
    /// <inheritdoc cref="ToPng(Grid, double, bool)" path="/exception"/>
    public static byte[] ToPng(this PointMap map, double scale = 2, bool dark = false) => DrawingPng.Paint(Of(map), scale, dark);

    /// <summary>Draws a spectrogram as an SVG file with its title and scale.</summary>
    /// <param name="spectrogram">The spectrogram.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The text of the file.</returns>
    public static string ToSvg(this Spectrogram spectrogram, bool dark = false) => DrawingSvg.Document(Of(spectrogram), dark);

    /// <summary>Draws a spectrogram as a PNG file with its title and scale.</summary>
    /// <param name="spectrogram">The spectrogram.</param>
    /// <param name="scale">Pixels for each of the SVG's.</param>
    /// <param name="dark">Whether the ground is dark instead of white.</param>
    /// <returns>The bytes of the file.</returns>
    /// <inheritdoc cref="ToPng(Grid, double, bool)" path="/exception"/>
    public static byte[] ToPng(this Spectrogram spectrogram, double scale = 2, bool dark = false) =>
        DrawingPng.Paint(Of(spectrogram), scale, dark);

    private static Drawing Of(Spectrogram spectrogram)
    {
        ArgumentNullException.ThrowIfNull(spectrogram);
        return SpectrogramView.DrawAlone(spectrogram);
    }

    private static Drawing Of(PointMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return PointMapDrawing.DrawAlone(map);
    }

    private static Drawing Of(Grid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return GridDrawing.DrawAlone(grid);
    }

    private static Drawing Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return GraphDrawing.DrawAlone(GraphView.Shown(graph));
    }

    private static Drawing Of(TokenScores scores, string? name)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var score = name is null ? 0 : scores.Names.ToList().IndexOf(name);
        return score >= 0 ? TokenScoresDrawing.DrawAlone(scores, score)
            : throw new KeyNotFoundException($"No score is named '{name}'; there are {string.Join(", ", scores.Names)}.");
    }
}
