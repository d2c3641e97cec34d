using ResearchKit.Tensors;

namespace ResearchKit.Data;

/// <summary>Changes an image, with random numbers of its own draw. It must not change the image that it is given.</summary>
/// <param name="image">The image.</param>
/// <param name="random">The random numbers.</param>
public delegate PixelImage ImageChange(PixelImage image, RandomNumbers random);

/// <summary>The usual changes of images, for an <see cref="ImagePipeline"/>. All of them are safe on any thread.</summary>
public static class ImageChanges
{
    /// <summary>Resizes so that the shorter side has a length.</summary>
    public static ImageChange Resize(int shorter)
    {
        Require.AtLeast(1, shorter);
        return (image, _) => image.Height <= image.Width
            ? image.Resized(shorter, Math.Max(1, (int)((long)shorter * image.Width / image.Height)))
            : image.Resized(Math.Max(1, (int)((long)shorter * image.Height / image.Width)), shorter);
    }

    /// <summary>Resizes to a height and width; the proportions may change.</summary>
    public static ImageChange Resize(int height, int width)
    {
        Require.Sizes((height, nameof(height)), (width, nameof(width)));
        return (image, _) => image.Resized(height, width);
    }

    /// <summary>Takes the square in the middle; what lies outside of the image is black.</summary>
    public static ImageChange CenterCrop(int size)
    {
        Require.AtLeast(1, size);
        return (image, _) => image.Crop((int)Math.Round((image.Height - size) / 2.0),
            (int)Math.Round((image.Width - size) / 2.0), size, size);
    }

    /// <summary>
    /// Takes a random rectangle and resizes it to a square. Szegedy et al., 2015, https://arxiv.org/abs/1409.4842.
    /// </summary>
    /// <param name="size">Height and width of the result.</param>
    /// <param name="leastArea">Smallest area of the rectangle, as a share of the image.</param>
    /// <param name="mostArea">Largest area of the rectangle, as a share of the image.</param>
    /// <param name="mostAspect">Largest ratio of the longer to the shorter side of the rectangle.</param>
    public static ImageChange RandomResizedCrop(int size, double leastArea = 0.08, double mostArea = 1,
        double mostAspect = 4.0 / 3)
    {
        Require.AtLeast(1, size);
        Require.That(leastArea > 0 && leastArea <= mostArea && mostArea <= 1, leastArea, nameof(leastArea),
            $"above 0 and at most mostArea {mostArea}, at most 1");
        Require.That(mostAspect >= 1, mostAspect, nameof(mostAspect), "at least 1");
        return (image, random) =>
        {
            for (var attempt = 0; attempt < 10; attempt++)
            {
                var area = random.Next(leastArea, mostArea) * image.Height * image.Width;
                var aspect = Math.Exp(random.Next(-Math.Log(mostAspect), Math.Log(mostAspect)));
                var (height, width) = ((int)Math.Round(Math.Sqrt(area / aspect)), (int)Math.Round(Math.Sqrt(area * aspect)));
                if (height < 1 || width < 1 || height > image.Height || width > image.Width) continue;
                var top = random.Whole(image.Height - height + 1);
                return image.Crop(top, random.Whole(image.Width - width + 1), height, width).Resized(size, size);
            }
            var rows = Math.Min(image.Height, (int)(image.Width * mostAspect));
            var columns = Math.Min(image.Width, (int)(image.Height * mostAspect));
            return image.Crop((image.Height - rows) / 2, (image.Width - columns) / 2, rows, columns).Resized(size, size);
        };
    }

    /// <summary>Pads all sides with black and takes a random square, as is usual for small images.</summary>
    /// <param name="size">Height and width of the result.</param>
    /// <param name="padding">Pixels at each side.</param>
    public static ImageChange PadAndCrop(int size, int padding = 4)
    {
        Require.AtLeast(1, size);
        Require.AtLeast(0, padding);
        return (image, random) =>
        {
            var (down, right) = (image.Height + (2 * padding) - size, image.Width + (2 * padding) - size);
            if (down < 0 || right < 0)
                throw new ArgumentException($"The {image} with a padding of {padding} is smaller than the crop of {size}.");
            var top = random.Whole(down + 1);
            return image.Crop(top - padding, random.Whole(right + 1) - padding, size, size);
        };
    }

    /// <summary>Exchanges left and right with a probability.</summary>
    public static ImageChange Flip(double probability = 0.5)
    {
        Require.That(probability is >= 0 and <= 1, probability, nameof(probability), "from 0 to 1");
        return (image, random) => random.Chance(probability) ? image.Flipped() : image;
    }

    /// <summary>Changes brightness, contrast, saturation and hue in a random order.</summary>
    /// <param name="brightness">The factor is from 1 − this to 1 + this.</param>
    /// <param name="contrast">The factor is from 1 − this to 1 + this.</param>
    /// <param name="saturation">The factor is from 1 − this to 1 + this.</param>
    /// <param name="hue">The turn is from −this to this, as a share of the circle, at most 0.5.</param>
    public static ImageChange ColorJitter(double brightness = 0.4, double contrast = 0.4, double saturation = 0.4,
        double hue = 0.1)
    {
        foreach (var (value, name) in new[] { (brightness, nameof(brightness)), (contrast, nameof(contrast)),
            (saturation, nameof(saturation)) })
            Require.That(value is >= 0 and <= 1, value, name, "from 0 to 1");
        Require.That(hue is >= 0 and <= 0.5, hue, nameof(hue), "from 0 to 0.5");
        return (image, random) =>
        {
            var order = new List<int> { 0, 1, 2, 3 };
            while (order.Count > 0)
            {
                var next = order[random.Whole(order.Count)];
                order.Remove(next);
                image = next switch
                {
                    0 => ImageColors.Brightness(image, random.Next(1 - brightness, 1 + brightness)),
                    1 => ImageColors.Contrast(image, random.Next(1 - contrast, 1 + contrast)),
                    2 => ImageColors.Saturation(image, random.Next(1 - saturation, 1 + saturation)),
                    _ => ImageColors.Hue(image, random.Next(-hue, hue)),
                };
            }
            return image;
        };
    }

    /// <summary>
    /// Applies some of 14 operations, drawn at random, all of the same strength. Cubuk et al., 2019,
    /// https://arxiv.org/abs/1909.13719.
    /// </summary>
    /// <param name="operations">Number of operations, N of the paper.</param>
    /// <param name="magnitude">Strength from 0 to 10, M of the paper.</param>
    public static ImageChange RandAugment(int operations = 2, double magnitude = 9)
    {
        Require.AtLeast(0, operations);
        Require.That(magnitude is >= 0 and <= 10, magnitude, nameof(magnitude), "from 0 to 10");
        return (image, random) =>
        {
            for (var number = 0; number < operations; number++)
                image = RandOperations.Apply(image, (RandOperation)random.Whole(14), magnitude / 10, random);
            return image;
        };
    }
}
