namespace ResearchKit.Data;

/// <summary>Resizing by a triangle filter, first the rows, then the columns, each rounded to bytes.</summary>
internal static class ImageResampling
{
    public static PixelImage Run(PixelImage image, int height, int width)
    {
        var (firsts, weights) = Filter(image.Width, width);
        var wide = new PixelImage(image.Channels, image.Height, width);
        for (var row = 0; row < image.Channels * image.Height; row++)
        {
            var source = image.Pixels.AsSpan(row * image.Width, image.Width);
            var target = wide.Pixels.AsSpan(row * width, width);
            for (var column = 0; column < width; column++)
            {
                var sum = 0.5f;
                var under = source[firsts[column]..];
                for (var at = 0; at < weights[column].Length; at++) sum += weights[column][at] * under[at];
                target[column] = (byte)Math.Clamp(sum, 0, 255);
            }
        }
        (firsts, weights) = Filter(image.Height, height);
        var result = new PixelImage(image.Channels, height, width);
        var sums = new float[width];
        for (var channel = 0; channel < image.Channels; channel++)
            for (var row = 0; row < height; row++)
            {
                Array.Fill(sums, 0.5f);
                for (var at = 0; at < weights[row].Length; at++)
                {
                    var source = wide.Pixels.AsSpan(((channel * image.Height) + firsts[row] + at) * width, width);
                    for (var column = 0; column < width; column++) sums[column] += weights[row][at] * source[column];
                }
                var target = result.Pixels.AsSpan(((channel * height) + row) * width, width);
                for (var column = 0; column < width; column++) target[column] = (byte)Math.Clamp(sums[column], 0, 255);
            }
        return result;
    }

    /// <summary>
    /// Returns, for each place of the result, the first place of the source that counts, and the weights from there on.
    /// </summary>
    private static (int[] Firsts, float[][] Weights) Filter(int source, int target)
    {
        var scale = (double)source / target;
        var reach = Math.Max(scale, 1);
        var (firsts, weights) = (new int[target], new float[target][]);
        for (var place = 0; place < target; place++)
        {
            var center = (place + 0.5) * scale;
            var first = Math.Max(0, (int)(center - reach + 0.5));
            var last = Math.Min(source, (int)(center + reach + 0.5));
            double[] shares = [.. Enumerable.Range(first, Math.Max(1, last - first))
                .Select(at => Math.Max(0, 1 - Math.Abs((at + 0.5 - center) / reach)))];
            var sum = shares.Sum();
            firsts[place] = first;
            weights[place] = [.. shares.Select(share => (float)(share / sum))];
        }
        return (firsts, weights);
    }
}
