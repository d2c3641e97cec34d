using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Every pixel has its own color.</summary>
    private static PixelImage Sample(int height = 6, int width = 9)
    {
        var image = new PixelImage(3, height, width);
        for (var at = 0; at < image.Pixels.Length; at++) image.Pixels[at] = (byte)(at * 7);
        return image;
    }

    private string Written(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static PixelImage Plain(byte level) => Sample(8, 8) with { Pixels = [.. Enumerable.Repeat(level, 192)] };

    [Fact]
    public void Png_and_lossless_webp_keep_every_pixel_and_jpeg_nearly()
    {
        var image = Sample();
        Assert.Equal(image.Pixels, ImageFile.Parse(ImageFile.Png(image)).Pixels);
        Assert.Equal(image.Pixels, ImageFile.Parse(ImageFile.WebP(image, 100)).Pixels);
        var jpeg = ImageFile.Parse(ImageFile.Jpeg(Plain(90), 95));
        Assert.Equal((3, 8, 8), (jpeg.Channels, jpeg.Height, jpeg.Width));
        Assert.All(jpeg.Pixels, level => Assert.InRange(level, 88, 92));
        Assert.Equal(90, ImageFile.Parse(ImageFile.Png(Plain(90)), channels: 1).Pixels[63]);
    }

    [Fact]
    public void An_image_taken_on_its_side_is_turned_upright()
    {
        // the orientation of EXIF, 6: the first row is the right side of the scene
        byte[] exif = [0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0,
            6, 0, 0, 0, 0, 0, 0];
        var wide = new PixelImage(3, 16, 32);
        for (var at = 0; at < wide.Pixels.Length; at++) wide.Pixels[at] = (byte)(at % 32 < 16 ? 20 : 220);   // left dark
        var jpeg = ImageFile.Jpeg(wide, 100);
        var turned = ImageFile.Parse([.. jpeg[..2], .. exif, .. jpeg[2..]]);
        Assert.Equal((32, 16), (turned.Height, turned.Width));
        Assert.InRange(turned[0, 2, 8], 0, 60);      // the left side is now the top
        Assert.InRange(turned[0, 29, 8], 180, 255);
    }

    [Fact]
    public void A_folder_is_read_by_classes_in_the_order_of_numbers_and_hidden_files_are_passed_over()
    {
        foreach (var name in new[] { "10/a.png", "2/b.PNG", "2/inside/c.png", "2/.hidden.png", ".git/x.png" })
            Written(name, ImageFile.Png(Plain(50)));
        Written("2/notes.txt", [1]);
        var images = ImageFolder.Open(folder);
        Assert.Equal(["2", "10"], images.ClassNames);
        Assert.Equal([0L, 0, 1], images.Labels);
        Assert.Equal("3 images: 2 2, 1 10", images.ToString());
        using var loaded = images.Load(4);
        Assert.Equal([3L, 3, 4, 4], loaded.Images.shape);
        using var batch = images.Examples(ImagePipeline.Evaluation(4)).Fetch([2, 0]);
        Assert.Equal([1L, 0], batch.Targets.data<long>().ToArray());
        Assert.True(batch.Inputs.allclose(full([2, 3, 4, 4], 50 / 255f)));
    }

    [Fact]
    public void Broken_files_are_named_in_a_sentence_or_skipped_and_counted()
    {
        var whole = ImageFile.Png(Sample(40, 40));
        Written("a/good.png", whole);
        Written("b/good.png", whole);
        var cut = Written("b/cut.png", whole[..(whole.Length / 2)]);
        var text = Written("b/text.png", "no image"u8.ToArray());
        Written("b/empty.jpg", []);
        var refused = ImageFolder.Open(folder);
        Assert.Equal($"{cut} is a damaged Png image of 40 × 40: it is cut off.",
            Assert.Throws<InvalidDataException>(() => refused.Read(1)).Message);
        Assert.Contains($"{text} is no image", Assert.Throws<InvalidDataException>(() =>
            refused.Examples(ImagePipeline.Evaluation(8)).Fetch([4])).Message, StringComparison.Ordinal);
        var skipped = ImageFolder.Open(folder, BrokenFiles.Skip);
        Assert.Equal((2, 3), (skipped.Count, skipped.Broken.Count));
        Assert.Equal("2 images: 1 a, 1 b; 3 left out, which cannot be read", skipped.ToString());
    }

    [Fact]
    public void A_folder_without_classes_or_images_is_refused_in_words()
    {
        Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.Open(Path.Combine(folder, "none")));
        Assert.Contains("has no sub-folders", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(folder)).Message,
            StringComparison.Ordinal);
        Directory.CreateDirectory(Path.Combine(folder, "cats"));
        Assert.Contains("class 'cats'", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Images_are_divided_by_class_and_the_loader_changes_them_the_same_whatever_the_workers()
    {
        for (var at = 0; at < 20; at++) Written($"{(at % 2 == 0 ? "cat" : "dog")}/{at:00}.png",
            ImageFile.Png(Sample(20 + at, 24)));
        var (train, test) = ImageFolder.Open(folder).Split(0.2, seed: 1);
        Assert.Equal((16, 4), (train.Count, test.Count));
        Assert.Equal(2, test.Labels.Sum());
        var pipeline = ImagePipeline.Training(12).WithImageNetColors();
        var pipelines = pipeline with { Changes = [.. pipeline.Changes, ImageChanges.ColorJitter(), ImageChanges.RandAugment()] };
        List<float> Inputs(int workers, LoaderPosition from, int batches)
        {
            var loader = new BatchLoader(train.Examples(pipelines), 4, workers: workers) { Position = from };
            return [.. loader.Batches().Take(batches).SelectMany(batch => batch.Inputs.data<float>().ToArray())];
        }
        var alone = Inputs(1, default, 8);
        Assert.Equal(alone, Inputs(3, default, 8));
        Assert.Equal(alone.Skip(alone.Count / 2), Inputs(2, new LoaderPosition(1, 0), 4));
    }
}
