using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Data;

public sealed class ImageSetTests
{
    [Theory]
    [InlineData(true, 10_000)]
    [InlineData(false, 2_000)]
    public void Fashion_MNIST_has_equally_many_images_in_each_class(bool train, int count)
    {
        using var set = ImageSet.FashionMnist(train);
        Assert.Equal([count, 1, 28, 28], set.Images.shape);
        Assert.All(set.Labels.bincount(null).data<long>().ToArray(), number => Assert.Equal(count / 10, number));
        Assert.Equal(255, set.Images.max().item<byte>());
        using var some = new ImageSet(set.Images[..10].clone(), set.Labels[..10].clone(), set.ClassNames);
        using var bright = some.Brightness();
        Assert.Equal(ScalarType.Float32, bright.dtype);
        Assert.InRange(bright.max().item<float>(), 0.5f, 1f);
    }

    [Fact]
    public void Digits_are_read()
    {
        using var set = ImageSet.Digits();
        Assert.Equal([1797, 1, 8, 8], set.Images.shape);
        Assert.Equal([0L, 1, 2, 3], set.Labels[..4].data<long>().ToArray());
        Assert.Equal([0, 0, 5, 13, 9, 1, 0, 0], set.Images[0, 0, 0].data<byte>().ToArray());
        using var bright = set.Brightness();
        Assert.Equal(1f, bright.max().item<float>());
    }

    [Fact]
    public void Images_and_labels_that_do_not_match_are_refused()
    {
        byte[] two = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 9];
        Assert.Contains("[2, 1, 1]",
            Assert.Throws<InvalidDataException>(() => ImageSet.FromIdx(two, [0, 0, 8, 1, 0, 0, 0, 1, 0], ["a"])).Message,
            StringComparison.Ordinal);
        Assert.Contains("label is 1",
            Assert.Throws<InvalidDataException>(() => ImageSet.FromIdx(two, [0, 0, 8, 1, 0, 0, 0, 2, 0, 1], ["a"])).Message,
            StringComparison.Ordinal);
        using var set = ImageSet.FromIdx(two, [0, 0, 8, 1, 0, 0, 0, 2, 0, 1], ["a", "b"]);
        Assert.Equal([2, 1, 1, 1], set.Images.shape);
    }
}
