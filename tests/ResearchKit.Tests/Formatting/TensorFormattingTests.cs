using System.Xml.Linq;
using CsCheck;
using ResearchKit.Formatting;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Formatting;

public sealed class TensorFormattingTests
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Int32, ScalarType.Int64, ScalarType.Float16,
            ScalarType.BFloat16,
        ScalarType.Float32, ScalarType.Float64, ScalarType.Bool, ScalarType.ComplexFloat32, ScalarType.ComplexFloat64,
    ];

    [Fact]
    public void Any_shape_and_dtype_gives_a_bounded_well_formed_page_and_leaks_no_tensor()
    {
        var before = LiveTensors.Count;
        Gen.Select(Gen.Frequency((5, Gen.Long[1, 12]), (1, Gen.Long[0, 1]), (1, Gen.Long[13, 300])).Array[0, 5],
            Gen.Int[0, Types.Length - 1].Select(index => Types[index]), Gen.Bool)
            .Where(c => c.Item1.Aggregate(1L, (count, size) => count * size) < 2_000_000)
            .Sample((shape, type, holes) =>
            {
                using var scope = NewDisposeScope();
                var values = (randn(shape) * 9).to(type);
                if (holes && type is ScalarType.Float32 or ScalarType.Float64 && values.numel() > 0)
                    values = values.masked_fill(values > 8, float.NaN).masked_fill(values.abs() < 1, float.NegativeInfinity);
                var page = Shown.Page(values);
                Shown.AssertSelfContained(page);
                XElement.Parse(page);
                Assert.InRange(page.Length, 100, 200_000);
                Assert.InRange(Shown.Text(values).Length, 5, 8_000);
            }, iter: 150, threads: 1);
        Assert.Equal(before, LiveTensors.Count);
    }

    [Fact]
    public void Meta_empty_and_disposed_tensors_are_described_instead_of_shown()
    {
        using var meta = empty(3, 4, device: new Device(DeviceType.META));
        using var none = zeros(0, 3);
        var gone = zeros(2);
        gone.Dispose();
        Assert.Contains("a shape without values", Shown.Text(meta), StringComparison.Ordinal);
        Assert.Contains("empty", Shown.Text(none), StringComparison.Ordinal);
        Assert.Contains("disposed", Shown.Text(gone), StringComparison.Ordinal);
        foreach (var value in new object[] { meta, none, gone }) Shown.Document(value);
    }

    [Fact]
    public void Sparse_quantized_conjugated_and_expanded_tensors_are_shown()
    {
        using var scope = NewDisposeScope();
        Tensor[] odd =
        [
            eye(6).to_sparse(), quantize_per_tensor(randn(4, 5), 0.1, 0, ScalarType.QInt8),
                complex(randn(3, 3), randn(3, 3)).conj(),
            quantize_per_channel(randn(4, 5), full([4], 0.1f), zeros(4, ScalarType.Int64), 0, ScalarType.QInt8),
            ones(1).expand(20, 30), randn(4, 6).t(),
                sparse_coo_tensor(zeros([2, 1], ScalarType.Int64), ones(1), [100_000, 100_000]),
        ];
        foreach (var value in odd)
        {
            Shown.Document(value);
            Assert.NotEmpty(Shown.Text(value));
        }
    }

    [Fact]
    public void Showing_a_tensor_does_not_affect_its_gradient()
    {
        using var scope = NewDisposeScope();
        var weights = randn(4, 4, requires_grad: true);
        var product = weights * 2;
        Shown.Page(product);
        product.sum().backward();
        Assert.Contains("requires grad", Shown.Text(weights), StringComparison.Ordinal);
        Assert.Equal(32f, weights.grad!.sum().item<float>());
    }

    [Fact]
    public void The_pixels_of_the_image_encode_the_values()
    {
        using var values = tensor(new[,] { { 0f, 1f, float.NaN }, { 2f, float.PositiveInfinity, float.NegativeInfinity } });
        var address = Shown.Document(values).Descendants("img").Single().Attribute("src")!.Value;
        var (width, height, type, rows) = Shown.Decode(Convert.FromBase64String(address.Split(',')[1]));
        Assert.Equal((3, 2, 3), (width, height, type));
        Assert.Equal([0, 0, 126, 253, 0, 252, 254, 255], rows);   // each row begins with its filter, none
    }

    [Fact]
    public void Zero_is_the_center_of_the_color_scale_if_signs_are_mixed()
    {
        var scale = new ColorScale(-1, 4);
        Assert.Equal((-4d, 4d, (byte)126), (scale.Low, scale.High, scale.IndexOf(0)));
        Assert.Equal("#f7f7f7", scale.Palette[126].ToString());
        Assert.False(new ColorScale(0, 4).IsDiverging);
        Assert.Equal((0, 252),
            (new ColorScale(double.MinValue, double.MaxValue).IndexOf(double.MinValue),
            new ColorScale(double.MinValue, double.MaxValue).IndexOf(double.MaxValue)));
    }

    [Fact]
    public void Three_channels_are_shown_as_one_color_image()
    {
        using var image = zeros(3, 20, 30);
        image[0] = 1;
        var address = Shown.Document(image).Descendants("img").Single().Attribute("src")!.Value;
        var (width, height, type, rows) = Shown.Decode(Convert.FromBase64String(address.Split(',')[1]));
        Assert.Equal((30, 20, 2), (width, height, type));
        Assert.Equal([0, 255, 0, 0, 255], rows[..5]);
    }

    [Fact]
    public void Omitted_planes_rows_and_columns_are_stated()
    {
        using var values = zeros(40, 2, 300, 1000);
        var page = Shown.Document(values).Value;
        Assert.Contains("showing 16 of 80 planes; rows 0, 5, 10 …; columns 0, 16, 32 …", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_small_part_of_a_large_tensor_is_copied_and_drawn()
    {
        using var values = zeros(5_000, 4_000);
        Shown.Page(values);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var page = Shown.Page(values);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);   // the tensor holds 80,000,000
        Assert.InRange(page.Length, 100, 200_000);
    }

    [Fact]
    public void Text_of_tensors()
    {
        using var scope = NewDisposeScope();
        Tensor[] values =
        [
            tensor(3.25f), arange(12).view(3, 4), tensor(new[,] { { 0.5f, -1.25f }, { float.NaN, float.NegativeInfinity } }),
            tensor([true, false, true]), linspace(-1, 1, 1000).view(10, 100), zeros(2, 2, 2),
                complex(tensor([1f, -2f]), tensor([0.5f, -0.5f])),
            full([3], long.MaxValue, ScalarType.Int64), nn.Parameter(ones(200)),
        ];
        Snapshot.Match(string.Join("\n\n", values.Select(Shown.Text)));
    }
}
