using ResearchKit.Data;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>Draws a few images side by side in one image.</summary>
internal static class PictureStrip
{
    private const int MostPictures = 8;
    private const int LongestSide = 64;   // maximum side of an image in pixels

    /// <summary>
    /// Draws the first of the images with the given indexes: in color if they have three channels, otherwise the
    /// first channel in grey.
    /// </summary>
    public static Html Draw(ImageSet set, IReadOnlyList<long> numbers)
    {
        var channels = set.Images.shape[1];
        var height = set.Images.shape[2];
        var width = set.Images.shape[3];
        if (channels == 0 || height == 0 || width == 0) return Html.Empty;
        using var scope = NewDisposeScope();
        var step = (Math.Max(height, width) + LongestSide - 1) / LongestSide;
        var chosen = set.Images.index_select(0, tensor(numbers.Take(MostPictures).ToArray(), int64, set.Images.device));
        chosen = chosen.slice(1, 0, channels == 3 ? 3 : 1, 1).slice(2, 0, height, step).slice(3, 0, width, step);
        var line = chosen.permute(2, 0, 3, 1).flatten(1, 2);   // [height, images · width, channels]
        if (channels != 3) line = line.expand(line.shape[0], line.shape[1], 3);
        var pixels = Array.ConvertAll(TensorStatisticsPieces.Doubles(line.contiguous()),
            level => (byte)Math.Round(Math.Clamp(level / set.White, 0, 1) * 255));
        var rows = (int)line.shape[0];
        var columns = (int)line.shape[1];
        var scale = Math.Max(1, LongestSide / (int)Math.Max(line.shape[0], chosen.shape[3]));
        return Html.Of($"""
            <span class="rk-map"><img src="{PngImage.DataUri(PngImage.Rgb(columns, rows, pixels))}" width="{columns * scale}" height="{rows * scale}" alt="{Numbers.Count(chosen.shape[0], "picture")}"/></span>
            """);
    }
}
