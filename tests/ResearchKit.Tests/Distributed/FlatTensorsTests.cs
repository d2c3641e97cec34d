using ResearchKit.Distributed;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Distributed;

/// <summary>Tensors on their way to other processes and back.</summary>
public sealed class FlatTensorsTests : IDisposable
{
    private static readonly ScalarType[] Types =
        [ScalarType.Float32, ScalarType.Float64, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
            ScalarType.Byte];

    private readonly DisposeScope scope = NewDisposeScope();

    public void Dispose() => scope.Dispose();

    [Fact]
    public void Tensors_of_every_dtype_shape_and_stride_receive_the_exchanged_values()
    {
        Compute.Seed(1);
        List<Tensor> tensors = [.. Types.SelectMany(Mixed), tensor(new[] { true, false, true })];
        var strides = tensors.Select(tensor => tensor.stride()).ToList();
        List<Tensor> expected =
            [.. tensors.Select(tensor => tensor.dtype == ScalarType.Bool ? tensor.logical_not() : tensor * 2)];
        FlatTensors.Exchange(tensors, Wider, flat =>
        {
            Assert.True(flat.is_contiguous() && flat.device_type == DeviceType.CPU);
            Assert.True(flat.dtype is not (ScalarType.Float16 or ScalarType.BFloat16), $"{flat.dtype}");
            if (flat.dtype == ScalarType.Bool) flat.logical_not_();
            else flat.mul_(2);
        });
        for (var i = 0; i < tensors.Count; i++)
        {
            Assert.True(expected[i].dtype == tensors[i].dtype
                && expected[i].equal(tensors[i]).all().item<bool>(), $"{i}: {tensors[i]}");
            Assert.Equal(strides[i], tensors[i].stride());
        }
    }

    [Fact]
    public void Small_tensors_share_buckets_and_large_contiguous_ones_are_exchanged_in_place()
    {
        var small = Enumerable.Range(0, 70).Select(i => full(200_000 + i, (float)i)).ToList();   // 0.8 MB each, 56 MB together
        Tensor large = ones(1 << 18), turned = ones(512, 1024).t();
        var seen = new List<float[]>();
        FlatTensors.Exchange([.. small, large, turned], type => type, flat =>
        {
            Assert.Equal(ReferenceEquals(flat, large), flat.numel() == large.numel());
            if (flat.numel() == large.numel() || flat.numel() == turned.numel()) return;
            seen.Add(flat.data<float>().ToArray());
        });
        Assert.Equal(3, seen.Count);
        Assert.All(seen, bucket => Assert.InRange(bucket.Length * sizeof(float), 1, FlatTensors.BucketBytes));
        Assert.All(seen.SkipLast(1),
            bucket => Assert.InRange(bucket.Length * sizeof(float), FlatTensors.BucketBytes - FlatTensors.AloneBytes,
            FlatTensors.BucketBytes));
        Assert.True(cat(small).Equals(tensor(seen.SelectMany(bucket => bucket).ToArray())), "the buckets hold other numbers");
    }

    [Fact]
    public void The_order_of_the_exchange_depends_only_on_shapes_and_dtypes()
    {
        List<(ScalarType, long)> Order(int seed)
        {
            Compute.Seed(seed);
            var order = new List<(ScalarType, long)>();
            FlatTensors.Exchange([.. Types.SelectMany(Mixed)], Wider, flat => order.Add((flat.dtype, flat.numel())));
            return order;
        }
        var order = Order(1);
        Assert.Equal(order, Order(2));
        Assert.Equal(2 * Types.Length, order.Count);   // of each dtype a bucket and a large one
    }

    [Fact]
    public void Empty_tensors_and_empty_lists_are_not_exchanged()
    {
        FlatTensors.Exchange([], type => type, _ => Assert.Fail("Of no tensor."));
        FlatTensors.Exchange([empty(0), zeros(3, 0, 2)], type => type, _ => Assert.Fail("Of empty tensors."));
    }

    [Fact]
    public void No_tensor_leaks()
    {
        List<Tensor> tensors = [.. Types.SelectMany(Mixed)];
        var before = LiveTensors.Count;
        for (var time = 0; time < 3; time++) FlatTensors.Exchange(tensors, Wider, _ => { });
        Assert.Equal(before, LiveTensors.Count);
    }

    /// <summary>One number, none, a matrix, a turned one, every third of a row, and a megabyte and more.</summary>
    private static IEnumerable<Tensor> Mixed(ScalarType type) => new[]
    {
        randn([]), empty(0), randn(3, 5), randn(4, 6).t(), randn(20)[TensorIndex.Slice(step: 3)], randn(1 << 20),
    }.Select(tensor => Like((tensor * 20).abs().to(type), tensor));

    /// <summary>The numbers of one tensor by the strides of another.</summary>
    private static Tensor Like(Tensor numbers, Tensor other) => other.is_contiguous() ? numbers
        : empty_strided(other.shape, other.stride(), numbers.dtype, numbers.device).copy_(numbers);

    private static ScalarType Wider(ScalarType type) =>
        type is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32 : type;
}
