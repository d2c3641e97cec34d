using System.Text;
using System.Text.Json;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>Weights that follow from a tensor's name, its shape and the place in it, so that no file has to hold them.</summary>
internal static class WeightRule
{
    /// <summary>Start of the 32-bit FNV-1a hash of the name.</summary>
    public static uint Hash(string name) =>
        Encoding.UTF8.GetBytes(name).Aggregate(0x811C9DC5u, (hash, letter) => (hash ^ letter) * 0x01000193u);

    /// <summary>The number from -1 to 1 at a place.</summary>
    public static double Sample(uint hash, uint place)
    {
        var x = ((place + 1) * 0x9E3779B1u) + hash;
        x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
        x = (x ^ (x >> 13)) * 0xC2B2AE35u;
        x ^= x >> 16;
        return ((x >> 8) / 8388608.0) - 1;
    }

    /// <summary>
    /// All values of a tensor, in row-major order: <see cref="Sample"/> in 32-bit operations on many places at once.
    /// </summary>
    public static Tensor Values(string name, long[] shape, double factor = 1)
    {
        const long Part = 1 << 18;
        var (hash, values) = (Hash(name), empty(shape));
        var (offset, scale) = OffsetAndScale(name, shape);
        using var scope = NewDisposeScope();
        var (flat, ramp) = (values.view(-1), arange(Part, dtype: int32).mul_(unchecked((int)0x9E3779B1)));
        for (var start = 0L; start < flat.shape[0]; start += Part)
        {
            using var part = NewDisposeScope();
            var count = Math.Min(Part, flat.shape[0] - start);
            var x = ramp[..(int)count] + unchecked((int)((((uint)start + 1) * 0x9E3779B1u) + hash));
            x = Shifted(x, 16).bitwise_xor_(x).mul_(unchecked((int)0x85EBCA6B));
            x = Shifted(x, 13).bitwise_xor_(x).mul_(unchecked((int)0xC2B2AE35));
            x = Shifted(x, 16).bitwise_xor_(x);
            var sample = Shifted(x, 8).to(float64).div_(8388608).sub_(1);
            flat.narrow(0, start, count).copy_(sample.mul_(scale).add_(offset).mul_(factor));
        }
        return values;
    }

    /// <summary>Bits moved right, zeros coming in from the left (the operation itself repeats the sign).</summary>
    private static Tensor Shifted(Tensor x, int bits) =>
        x.bitwise_right_shift(tensor(bits)).bitwise_and_(tensor((int)(uint.MaxValue >> bits)));

    /// <summary>Fills a model by a config.json: <c>state_dict</c>, <c>weight_scale</c> and <c>checksum</c>.</summary>
    public static void Fill(nn.Module model, JsonElement settings)
    {
        var own = model.state_dict();
        var expected = settings.GetProperty("state_dict").EnumerateArray().ToDictionary(
            pair => pair[0].GetString()!, pair => pair[1].EnumerateArray().Select(length => length.GetInt64()).ToArray());
        Assert.Equal(expected.Keys.Order(), own.Keys.Order());
        using var quiet = no_grad();
        foreach (var (name, shape) in expected)
        {
            Assert.True(shape.SequenceEqual(own[name].shape),
                $"{name} is {own[name].ShapeText()}, the reference has [{string.Join(", ", shape)}]");
            if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            {
                own[name].zero_();
                continue;
            }
            using var scope = NewDisposeScope();
            var values = Values(name, shape, FactorOf(name, settings));
            CheckSums(name, values, settings.GetProperty("checksum"));
            own[name].copy_(values);
        }
    }

    private static (double Offset, double Scale) OffsetAndScale(string name, long[] shape) =>
        shape.Length >= 2 ? (0, Math.Sqrt(6.0 / shape.Skip(1).Aggregate(1L, (product, length) => product * length)))
        : name.EndsWith("running_mean", StringComparison.Ordinal) ? (0, 0.25)
        : name.EndsWith("running_var", StringComparison.Ordinal) ? (1, 0.5)
        : name.EndsWith("weight", StringComparison.Ordinal) ? (1, 0.25)
        : (0, 0.125);

    private static double FactorOf(string name, JsonElement settings)
    {
        foreach (var pair in settings.GetProperty("weight_scale").EnumerateArray())
            if (name.EndsWith(pair[0].GetString()!, StringComparison.Ordinal)) return pair[1].GetDouble();
        return 1;
    }

    private static void CheckSums(string name, Tensor values, JsonElement checksums)
    {
        if (!checksums.TryGetProperty(name, out var sums)) return;
        var (sum, absolute) = (values.sum(float64).item<double>(), values.abs().sum(float64).item<double>());
        Assert.Equal(sums[0].GetDouble(), sum, 1e-9 * absolute);
        Assert.Equal(sums[1].GetDouble(), absolute, 1e-9 * absolute);
    }
}
