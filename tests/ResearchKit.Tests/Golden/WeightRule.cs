using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>Weights that follow from a tensor's name, its shape and the place in it, so that no file has to hold them.</summary>
internal static class WeightRule
{
    /// <summary>Start of the 32-bit FNV-1a hash of the name.</summary>
    public static uint Hash(string name) => Encoding.UTF8.GetBytes(name).Aggregate(0x811C9DC5u, (hash, letter) => (hash ^ letter) * 0x01000193u);

    /// <summary>The number from -1 to 1 at a place.</summary>
    public static double Sample(uint hash, uint place)
    {
        var x = ((place + 1) * 0x9E3779B1u) + hash;
        x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
        x = (x ^ (x >> 13)) * 0xC2B2AE35u;
        x ^= x >> 16;
        return ((x >> 8) / 8388608.0) - 1;
    }

    /// <summary>All values of a tensor, in row-major order.</summary>
    public static float[] Values(string name, long[] shape, double factor = 1)
    {
        var (hash, values) = (Hash(name), new float[shape.Aggregate(1L, (product, length) => product * length)]);
        var (offset, scale) = OffsetAndScale(name, shape);
        const int Part = 1 << 18;
        Parallel.For(0, (values.Length + Part - 1) / Part, part =>
        {
            for (var i = part * Part; i < Math.Min(values.Length, (part + 1) * Part); i++)
                values[i] = (float)((offset + (scale * Sample(hash, (uint)i))) * factor);
        });
        return values;
    }

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
            Assert.True(shape.SequenceEqual(own[name].shape), $"{name} is {own[name].ShapeText()}, the reference has [{string.Join(", ", shape)}]");
            if (name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            {
                own[name].zero_();
                continue;
            }
            var values = Values(name, shape, FactorOf(name, settings));
            CheckSums(name, values, settings.GetProperty("checksum"));
            values.CopyTo(MemoryMarshal.Cast<byte, float>(own[name].bytes));
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

    private static void CheckSums(string name, float[] values, JsonElement checksums)
    {
        if (!checksums.TryGetProperty(name, out var sums)) return;
        var (sum, absolute) = (0.0, 0.0);
        foreach (var value in values)
        {
            sum += value;
            absolute += Math.Abs(value);
        }
        Assert.True(Math.Abs(sum - sums[0].GetDouble()) <= 1e-9 * absolute, $"{name}: the sum is {sum}, expected {sums[0]}");
        Assert.Equal(sums[1].GetDouble(), absolute, 1e-9 * absolute);
    }
}
