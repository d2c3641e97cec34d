using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class ImageChangesTests
{
    private static PixelImage Grey(int height, int width, params byte[] levels) => new(1, height, width, levels);

    private static PixelImage Sample(int height = 12, int width = 10)
    {
        var (image, random) = (new PixelImage(3, height, width), new RandomNumbers(3));
        for (var at = 0; at < image.Pixels.Length; at++) image.Pixels[at] = (byte)random.Whole(256);
        return image;
    }

    [Fact]
    public void Crop_and_flip_move_pixels_and_leave_black_outside()
    {
        var image = Grey(2, 3, 1, 2, 3, 4, 5, 6);
        Assert.Equal([5, 6], image.Crop(1, 1, 1, 2).Pixels);
        Assert.Equal([0, 0, 0, 0, 1, 2], image.Crop(-1, -1, 2, 3).Pixels);
        Assert.Equal([6, 0, 0, 0], image.Crop(1, 2, 2, 2).Pixels);
        Assert.Equal([0, 0], image.Crop(5, 5, 1, 2).Pixels);
        Assert.Equal([3, 2, 1, 6, 5, 4], image.Flipped().Pixels);
    }

    /// <summary>Computed by Pillow 9.4: Image.resize((width, height), Image.BILINEAR) of the levels i * 37 % 256.</summary>
    [Theory]
    [InlineData(5, 7, 3, 4, "20 78 146 204 25 83 151 209 30 88 156 214")]
    [InlineData(3, 4, 5, 7,
        "0 13 34 56 77 98 111 59 72 93 115 129 91 68 148 161 182 204 206 81 3 83 96 117 139 153 115 92 40 53 74 96 117 138 151")]
    public void Resizing_is_that_of_pillow_but_for_rounding(int height, int width, int newHeight, int newWidth, string expected)
    {
        var image = new PixelImage(1, height, width);
        for (var at = 0; at < image.Pixels.Length; at++) image.Pixels[at] = (byte)(at * 37 % 256);
        var golden = expected.Split(' ').Select(int.Parse).ToArray();
        var resized = image.Resized(newHeight, newWidth).Pixels;
        Assert.Equal(golden.Length, resized.Length);
        Assert.All(golden.Zip(resized), pair => Assert.InRange(pair.Second, pair.First - 1, pair.First + 1));
    }

    [Fact]
    public void Colors_change_as_their_formulas_say()
    {
        var image = new PixelImage(3, 1, 2, [200, 10, 100, 10, 50, 10]);   // one pixel of colors, one grey of 10
        Assert.Equal([100, 5, 50, 5, 25, 5], ImageColors.Brightness(image, 0.5).Pixels);
        var luma = ImageColors.Luma(200, 100, 50);
        Assert.Equal((byte)124, luma);   // 0.299 · 200 + 0.587 · 100 + 0.114 · 50
        Assert.Equal([124, 10, 124, 10, 124, 10], ImageColors.Saturation(image, 0).Pixels);
        Assert.Equal([67, 67, 67, 67, 67, 67], ImageColors.Contrast(image, 0).Pixels);
        Assert.Equal([50, 10, 200, 10, 100, 10], ImageColors.Hue(image, 1 / 3.0).Pixels);   // red to green, green to blue
        Assert.Equal([0, 128, 255], ImageColors.AutoContrast(Grey(1, 3, 50, 75, 100)).Pixels);
        Assert.Equal(image.Pixels, ImageColors.Sharpness(image, 2).Pixels);   // all of it is border
    }

    [Fact]
    public void The_operations_of_RandAugment_keep_the_size_and_none_of_strength_0_moves_a_pixel()
    {
        var image = Sample();
        foreach (var operation in Enum.GetValues<RandOperation>())
        {
            var changed = RandOperations.Apply(image, operation, 0.9, new RandomNumbers(1));
            Assert.Equal((3, 12, 10), (changed.Channels, changed.Height, changed.Width));
            if (operation is RandOperation.AutoContrast or RandOperation.Equalize) continue;
            Assert.Equal(image.Pixels, RandOperations.Apply(image, operation, 0, new RandomNumbers(1)).Pixels);
            if (operation != RandOperation.Identity) Assert.NotEqual(image.Pixels, changed.Pixels);
        }
        Assert.Equal([255, 101, 55], RandOperations.Apply(Grey(1, 3, 0, 101, 200), RandOperation.Solarize, 1,
            new RandomNumbers(1)).Pixels
            .Select((level, at) => at == 1 ? (byte)101 : level));
        Assert.Equal([0xF0, 0x10], RandOperations.Apply(Grey(1, 2, 0xFF, 0x1F), RandOperation.Posterize, 1,
            new RandomNumbers(1)).Pixels);
    }

    [Fact]
    public void Random_crops_stay_inside_and_depend_on_the_draw_alone()
    {
        var pipeline = new ImagePipeline { Changes = [ImageChanges.PadAndCrop(10, 2), ImageChanges.Flip()], Seed = 5 };
        var images = Enumerable.Range(0, 50).Select(draw => pipeline.Changed(Sample(), draw).Pixels).ToList();
        Assert.InRange(images.Select(pixels => string.Join(',', pixels)).Distinct().Count(), 20, 50);
        Assert.Equal(images[7], pipeline.Changed(Sample(), 7).Pixels);
        Assert.NotEqual(images[7], (pipeline with { Seed = 6 }).Changed(Sample(), 7).Pixels);
        var crop = ImageChanges.RandomResizedCrop(6);
        Assert.All(Enumerable.Range(0, 50), draw => Assert.Equal(108, crop(Sample(3, 40), new RandomNumbers(1,
            draw)).Pixels.Length));
        Assert.Contains("smaller than the crop", Assert.Throws<ArgumentException>(() =>
            ImageChanges.PadAndCrop(20)(Sample(), new RandomNumbers(1))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ImageChanges.RandAugment(magnitude: 11));
    }

    [Fact]
    public void Inputs_are_levels_less_the_mean_over_the_deviation()
    {
        var pipeline = new ImagePipeline { Mean = [0.5], Deviation = [0.25] };
        using var inputs = pipeline.Inputs([Grey(1, 2, 0, 255), Grey(1, 2, 51, 102)]);
        Assert.Equal([2L, 1, 1, 2], inputs.shape);
        Assert.True(inputs.flatten().allclose(tensor(new[] { -2f, 2, -1.2f, -0.4f })));
        Assert.Contains("expected one size",
            Assert.Throws<InvalidOperationException>(() => pipeline.Inputs([Grey(1, 2, 0, 1), Grey(2, 1, 0, 1)])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_of_images_goes_through_a_pipeline_with_its_levels_stretched()
    {
        using var set = new ImageSet(tensor(new byte[] { 0, 16, 8, 4 }, [1, 1, 2, 2]), tensor(new[] { 3L }),
            ["0", "1", "2", "3"], White: 16);
        using var batch = set.Examples(new ImagePipeline()).Fetch([0]);
        Assert.True(batch.Inputs.flatten().allclose(tensor(new[] { 0f, 1, 127 / 255f, 63 / 255f })));
        Assert.Equal(3, batch.Targets.item<long>());
    }
}
