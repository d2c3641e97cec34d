using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Images in folders, one folder for each class. They are read when a batch needs them.</summary>
public sealed class ImageFolder
{
    private readonly ClassFolders content;
    private readonly int channels;

    private ImageFolder(ClassFolders content, int channels)
    {
        this.content = content;
        this.channels = channels;
    }

    /// <summary>Finds the images: PNG, JPEG, WebP, BMP and GIF in the folder of each class and in the folders inside.</summary>
    /// <param name="path">Folder of the class folders. Classes are in the order of numbers if their names are numbers.</param>
    /// <param name="broken">What happens with images that cannot be read.</param>
    /// <param name="channels">3 for red, green and blue; 1 for grey.</param>
    /// <param name="progress">Is told the share of the images that were checked, where broken ones are skipped.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">There is no class, or one without images.</exception>
    public static ImageFolder Open(string path, BrokenFiles broken = BrokenFiles.Refuse, int channels = 3,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (channels is not (1 or 3)) throw new ArgumentException($"channels is {channels}; it must be 1 or 3.",
            nameof(channels));
        var content = ClassFolders.List(path, "images", ImageFile.Endings);
        return new ImageFolder(broken == BrokenFiles.Refuse ? content
            : content.WithoutBroken(file => ImageFile.Read(file, channels), progress, cancellation), channels);
    }

    /// <summary>Number of images.</summary>
    public int Count => content.Files.Count;

    /// <summary>The files.</summary>
    public IReadOnlyList<string> Files => content.Files;

    /// <summary>Class of each image; indexes into <see cref="ClassNames"/>.</summary>
    public IReadOnlyList<long> Labels => content.Labels;

    /// <summary>Name of each class, by label.</summary>
    public IReadOnlyList<string> ClassNames => content.ClassNames;

    /// <summary>The images that were left out.</summary>
    public IReadOnlyList<BrokenFile> Broken => content.Broken;

    /// <summary>Reads an image.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public PixelImage Read(int number) => ImageFile.Read(Files[number], channels);

    /// <summary>Divides the images at random; each class has its share in both parts.</summary>
    /// <param name="testShare">Share of the test part, above 0 and below 1.</param>
    /// <param name="seed">Seed of the division.</param>
    public (ImageFolder Train, ImageFolder Test) Split(double testShare = 0.2, int seed = 1337)
    {
        var (train, test) = content.Split(testShare, seed);
        return (new ImageFolder(train, channels), new ImageFolder(test, channels));
    }

    /// <summary>
    /// Makes examples: the images through a pipeline, float32 [batch, channels, height, width], and their labels.
    /// </summary>
    public IExamples Examples(ImagePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        return new ImageExamples(number => Read((int)number), Labels, pipeline);
    }

    /// <summary>Reads all images into memory at one size: the shorter side resized, and the middle of it.</summary>
    /// <param name="size">Height and width.</param>
    public ImageSet Load(int size)
    {
        ImagePipeline pipeline = new() { Changes = [ImageChanges.Resize(size), ImageChanges.CenterCrop(size)] };
        var bytes = new byte[(long)Count * channels * size * size];
        for (var at = 0; at < Count; at++)
            pipeline.Changed(Read(at), at).Pixels.CopyTo(bytes, (long)at * channels * size * size);
        return new ImageSet(tensor(bytes, [Count, channels, size, size]), tensor(Labels.ToArray()), ClassNames);
    }

    /// <inheritdoc/>
    public override string ToString() => content.Summary("images");
}
