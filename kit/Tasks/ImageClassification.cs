using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tasks;

/// <summary>Says what images show: images in, labels out.</summary>
/// <param name="model">Images [batch, channels, height, width] to logits [batch, classes].</param>
/// <param name="labels">Names of the classes, in the order of the logits.</param>
public sealed class ImageClassification(nn.Module<Tensor, Tensor> model, IReadOnlyList<string> labels)
{
    private const string Preprocessing = "preprocessor_config.json";

    /// <summary>Height and width to which images are resized (bilinear); null for no resizing.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Subtracted from each channel of brightness 0 to 1; one number for all channels, or one each.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0];

    /// <summary>Divisor of each channel after that; one number for all channels, or one each.</summary>
    public IReadOnlyList<double> Deviation { get; init; } = [1];

    /// <summary>Number of images that are processed at once.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>
    /// Loads a published ViT with the names of its classes and its <c>preprocessor_config.json</c>, without which the mean and
    /// the deviation of each channel are 0.5.
    /// </summary>
    /// <remarks>
    /// transformers resizes with the filter of Pillow. Here bilinear interpolation without that filter is used, so that an image
    /// of another size gets slightly different numbers.
    /// </remarks>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/param"/>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static ImageClassification FromPretrained(string folder)
    {
        var model = Vit.FromPretrained(folder);
        var own = File.Exists(Path.Combine(folder, Preprocessing)) ? ConfigFile.Read(folder, Preprocessing) : null;
        return new ImageClassification(model, ConfigFile.Read(folder).LabelNames(model.Config.Classes))
        {
            ImageSize = model.Config.ImageSize,
            Mean = own?.NumbersOrNull("image_mean") ?? [0.5],
            Deviation = own?.NumbersOrNull("image_std") ?? [0.5],
        };
    }

    /// <summary>Classifies images.</summary>
    /// <param name="images">
    /// [count, channels, height, width], or one image [channels, height, width]: bytes, or numbers from 0 (black) to 1 (white).
    /// </param>
    /// <returns>One for each image, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// The images have another shape, or there are not as many names as the model has classes.
    /// </exception>
    public IReadOnlyList<Classification> Classify(Tensor images)
    {
        if (images.dim() is not (3 or 4))
            throw new ArgumentException($"Got images {images.ShapeText()}; expected [channels, height, width] or "
                + "[count, channels, height, width].", nameof(images));
        using var evaluation = new EvaluationMode(model);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = images.dim() == 3 ? images.unsqueeze(0) : images;
        return [.. Enumerable.Range(0, (int)all.shape[0]).Chunk(BatchSize).SelectMany(part => Batch(all, part[0], part.Length))];
    }

    /// <summary>Classifies the images of a data set.</summary>
    public IReadOnlyList<Classification> Classify(ImageSet images)
    {
        using var brightness = images.Brightness();
        return Classify(brightness);
    }

    private List<Classification> Batch(Tensor all, int first, int count)
    {
        using var scope = NewDisposeScope();
        var images = all.narrow(0, first, count);
        images = images.dtype == ScalarType.Byte ? images.to(float32) / 255 : images.to(float32);
        if (ImageSize is { } size && (images.shape[2] != size || images.shape[3] != size))
            images = nn.functional.interpolate(images, [size, size], mode: InterpolationMode.Bilinear, align_corners: false);
        images = (images - Channels(Mean)) / Channels(Deviation);
        var device = model.parameters().FirstOrDefault()?.device ?? CPU;
        var scores = model.call(images.to(device)).to(float32).softmax(-1).cpu();   // [batch, classes]
        if (scores.shape[1] != labels.Count)
            throw new ArgumentException($"The model has {scores.shape[1]} classes; got {labels.Count} names.");
        return [.. Enumerable.Range(0, count).Select(row =>
            Classification.Of($"image {first + row}", labels, scores[row].data<float>().ToArray()))];
    }

    private static Tensor Channels(IReadOnlyList<double> numbers) => tensor(numbers.ToArray(), float32).view(1, -1, 1, 1);
}
