using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// How images become the inputs of a model: changes, one after the other, then levels from 0 to 1, then (x − mean) / deviation.
/// </summary>
/// <remarks>
/// The random changes of an example depend on the seed and on how often the loader had drawn before: neither the number of
/// workers nor a resume changes a bit.
/// </remarks>
public sealed record ImagePipeline
{
    /// <summary>The changes; after them all images have the same size.</summary>
    public IReadOnlyList<ImageChange> Changes { get; init; } = [];

    /// <summary>Is subtracted from each channel; null for 0.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Each channel is divided by it; null for 1.</summary>
    public IReadOnlyList<double>? Deviation { get; init; }

    /// <summary>Seed of the random changes.</summary>
    public int Seed { get; init; } = 1337;

    /// <summary>For training: a random resized crop, and flipped in half of the cases.</summary>
    /// <param name="size">Height and width of the inputs.</param>
    public static ImagePipeline Training(int size) =>
        new() { Changes = [ImageChanges.RandomResizedCrop(size), ImageChanges.Flip()] };

    /// <summary>For evaluation: the shorter side resized to 8/7 of the size, and the middle of it.</summary>
    /// <param name="size">Height and width of the inputs.</param>
    public static ImagePipeline Evaluation(int size) =>
        new() { Changes = [ImageChanges.Resize((int)Math.Round(size * 8 / 7.0)), ImageChanges.CenterCrop(size)] };

    /// <summary>The same with the mean and the deviation that models pretrained on ImageNet expect.</summary>
    public ImagePipeline WithImageNetColors() => this with { Mean = [0.485, 0.456, 0.406], Deviation = [0.229, 0.224, 0.225] };

    /// <summary>Runs the changes of one draw.</summary>
    internal PixelImage Changed(PixelImage image, long draw)
    {
        if (Changes.Count == 0) return image;
        var random = new RandomNumbers(Seed, draw);
        foreach (var change in Changes) image = change(image, random);
        return image;
    }

    /// <summary>Makes one tensor of images of the same size.</summary>
    /// <returns>Float32 [batch, channels, height, width].</returns>
    internal Tensor Inputs(IReadOnlyList<PixelImage> images)
    {
        var first = images[0];
        var (area, size) = (first.Height * first.Width, first.Pixels.Length);
        var tables = Enumerable.Range(0, first.Channels).Select(Table).ToArray();
        var values = new float[images.Count * size];
        for (var at = 0; at < images.Count; at++)
        {
            if ((images[at].Channels, images[at].Height, images[at].Width) != (first.Channels, first.Height, first.Width))
                throw new InvalidOperationException($"A batch has an {first} and an {images[at]}; expected one size. "
                    + $"Add a change that sets it, such as {nameof(ImageChanges)}.{nameof(ImageChanges.RandomResizedCrop)}.");
            for (var channel = 0; channel < first.Channels; channel++)
            {
                var table = tables[channel];
                var source = images[at].Pixels.AsSpan(channel * area, area);
                var target = values.AsSpan((at * size) + (channel * area), area);
                for (var place = 0; place < source.Length; place++) target[place] = table[source[place]];
            }
        }
        return tensor(values, [images.Count, first.Channels, first.Height, first.Width]);
    }

    /// <summary>The input for each level of a channel.</summary>
    private float[] Table(int channel)
    {
        var (mean, deviation) = (Mean?[channel % Mean.Count] ?? 0, Deviation?[channel % Deviation.Count] ?? 1);
        return [.. Enumerable.Range(0, 256).Select(level => (float)(((level / 255.0) - mean) / deviation))];
    }
}

/// <summary>Images with labels, through a pipeline.</summary>
internal sealed class ImageExamples(Func<long, PixelImage> image, IReadOnlyList<long> labels, ImagePipeline pipeline) : IExamples
{
    public long Count => labels.Count;

    public Batch Fetch(IReadOnlyList<long> numbers) => Fetch(numbers, numbers);

    public Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws)
    {
        var images = new PixelImage[numbers.Count];
        for (var at = 0; at < images.Length; at++) images[at] = pipeline.Changed(image(numbers[at]), draws[at]);
        return new Batch(pipeline.Inputs(images), tensor(numbers.Select(number => labels[(int)number]).ToArray()));
    }
}
