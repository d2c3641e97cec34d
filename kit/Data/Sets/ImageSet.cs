using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Images with a class label each.</summary>
/// <param name="Images">Uint8 [count, channels, height, width].</param>
/// <param name="Labels">Int64 [count]; indexes into <paramref name="ClassNames"/>.</param>
/// <param name="ClassNames">Name of each class, by label.</param>
/// <param name="White">The maximum grey level: 255, or 16 for the UCI digits.</param>
public sealed record ImageSet(Tensor Images, Tensor Labels, IReadOnlyList<string> ClassNames, int White = 255) : IDisposable
{
    /// <summary>Class names of Fashion-MNIST, by label.</summary>
    public static IReadOnlyList<string> FashionClasses { get; } =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>Number of images.</summary>
    public long Count => Images.shape[0];

    /// <summary>
    /// Opens the data set <c>fashion-mnist</c>: 10,000 training images or 2,000 test images, [count, 1, 28, 28].
    /// </summary>
    public static ImageSet FashionMnist(bool train)
    {
        var set = DataSets.Open("fashion-mnist");
        var part = train ? "train" : "t10k";
        return FromIdx(set.ReadBytes($"{part}-images-idx3-ubyte.gz"),
            set.ReadBytes($"{part}-labels-idx1-ubyte.gz"), FashionClasses);
    }

    /// <summary>
    /// Opens the data set <c>digits</c>: 1,797 images of digits with grey levels 0 to 16, [count, 1, 8, 8].
    /// </summary>
    public static ImageSet Digits()
    {
        var table = CsvTable.Parse(DataSets.Open("digits").ReadText("digits.csv.gz"), name: "digits.csv.gz");
        var pixels = table.Rows.SelectMany(row => row.Take(64))
            .Select(cell => byte.Parse(cell, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        var labels = table.Numbers("digit").Select(digit => (long)digit).ToArray();
        return new ImageSet(tensor(pixels, [labels.Length, 1, 8, 8]), tensor(labels),
            [.. Enumerable.Range(0, 10).Select(digit => $"{digit}")], White: 16);
    }

    /// <param name="images">
    /// A decompressed IDX file of bytes, [count, height, width] or [count, channels, height, width].
    /// </param>
    /// <param name="labels">A decompressed IDX file of bytes, [count].</param>
    /// <param name="classNames">Name of each class, by label.</param>
    /// <exception cref="InvalidDataException">
    /// The files are malformed or do not match each other, or a label has no class name.
    /// </exception>
    public static ImageSet FromIdx(ReadOnlySpan<byte> images, ReadOnlySpan<byte> labels, IReadOnlyList<string> classNames)
    {
        using var scope = NewDisposeScope();
        var pictures = IdxFile.Parse(images, "the pictures");
        var kinds = IdxFile.Parse(labels, "the labels");
        if (pictures.dtype != ScalarType.Byte || pictures.dim() is not (3 or 4) || kinds.dtype != ScalarType.Byte
            || kinds.dim() != 1 || pictures.shape[0] != kinds.shape[0])
            throw new InvalidDataException($"Got images {pictures.ShapeText()} of {pictures.dtype} and labels "
                + $"{kinds.ShapeText()} of {kinds.dtype}; expected bytes [count, height, width] and [count].");
        if (kinds.numel() > 0 && kinds.max().item<byte>() >= classNames.Count)
            throw new InvalidDataException($"The largest label is {kinds.max().item<byte>()}; "
                + $"there are only {classNames.Count} class names.");
        return new ImageSet((pictures.dim() == 3 ? pictures.unsqueeze(1) : pictures).MoveToOuterDisposeScope(),
            kinds.to(ScalarType.Int64).MoveToOuterDisposeScope(), classNames);
    }

    /// <summary>
    /// Makes examples: the images through a pipeline, float32 [batch, channels, height, width], and their labels. The levels
    /// are first stretched to 0 … 255.
    /// </summary>
    public IExamples Examples(ImagePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        using var here = Images.cpu();
        using var whole = here.contiguous();
        var (channels, height, width) = ((int)Images.shape[1], (int)Images.shape[2], (int)Images.shape[3]);
        var (bytes, size) = (whole.data<byte>().ToArray(), channels * height * width);
        if (White != 255)
            for (var at = 0; at < bytes.Length; at++) bytes[at] = (byte)(bytes[at] * 255 / White);
        return new ImageExamples(number => new PixelImage(channels, height, width, bytes.AsSpan((int)(number * size), size)
            .ToArray()),
            Labels.data<long>().ToArray(), pipeline);
    }

    /// <summary>Returns the images as numbers from 0 (black) to 1 (white).</summary>
    /// <returns>Float32 [count, channels, height, width].</returns>
    public Tensor Brightness()
    {
        using var levels = Images.to(ScalarType.Float32);
        return levels / White;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Labels.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} pictures {Images.ShapeText()} of {ClassNames.Count} kinds";
}
