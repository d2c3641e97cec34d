using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class ComputeTests
{
    [Theory]
    [InlineData("cpu", DeviceType.CPU)]
    [InlineData("meta", DeviceType.META)]
    public void A_device_is_found_by_name(string name, DeviceType type) => Assert.Equal(type, Compute.DeviceNamed(name).type);

    [Theory]
    [InlineData("gpu")]
    [InlineData("")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    [InlineData("cpu:1")]
    [InlineData("cuda:99")]
    public void The_error_names_a_device_that_does_not_exist(string name) =>
        Assert.Contains($"'{name}'", Assert.Throws<ArgumentException>(() => Compute.DeviceNamed(name)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void The_best_device_can_hold_a_tensor()
    {
        using var one = ones(1, device: Compute.BestDevice());
        Assert.Equal(1f, one.cpu().item<float>());
    }

    [Fact]
    public void The_same_seed_gives_the_same_random_numbers()
    {
        Compute.Seed(7);
        using var first = rand(5);
        Compute.Seed(7);
        using var second = rand(5);
        Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
    }

    [Fact]
    public void There_is_at_least_one_thread()
    {
        Assert.True(Compute.Threads >= 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => Compute.Threads = 0);
    }

    [Fact]
    public void The_peak_memory_includes_freed_memory_until_it_is_reset()
    {
        if (Compute.ResetPeakMemory() is null) return;   // a system without it
        ones(300 << 20, dtype: ScalarType.Byte).Dispose();
        var peak = Compute.PeakMemory;
        Compute.ResetPeakMemory();
        Assert.InRange(Compute.PeakMemory, 1, peak - 1);
    }
}
