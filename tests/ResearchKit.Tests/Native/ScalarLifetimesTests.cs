using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class ScalarLifetimesTests
{
    /// <summary>TorchSharp's own way to call a function, under constant collection: without the queue some calls fail within a second.</summary>
    [Fact]
    public async Task Numbers_outlive_a_call_that_does_not_hold_them()
    {
        if (!OperatingSystem.IsLinux()) return;   // the queue is for Linux; elsewhere callers must hold what they pass
        Assert.True(ScalarLifetimes.Kept);
        var names = Enumerable.Range(0, 60).Select(number => $"a{number}").ToList();
        using var script = jit.compile($"def total(x, {string.Join(", ", names.Select(name => $"{name}: float"))}):\n    return x + {string.Join(" + ", names)}\n");
        await GarbageCollection.Meanwhile(() =>
        {
            using var zero = zeros(1, dtype: float64);
            for (var call = 0; call < 2_000; call++)
            {
                using var sum = (Tensor)script.invoke("total", [zero, .. Enumerable.Repeat<object>(0.5 + call, 60)]);
                Assert.Equal(60 * (0.5 + call), sum.item<double>());
            }
        });
    }

    [Fact]
    public async Task Ordinary_operations_compute_with_their_own_numbers()
    {
        await GarbageCollection.Meanwhile(() =>
        {
            using var zero = zeros(1, dtype: float64);
            for (var call = 0; call < 20_000; call++)
            {
                using var sum = zero.add(0.5 + call);
                using var clamped = sum.clamp(call, call + 0.25);
                Assert.Equal(call + 0.25, clamped.item<double>());
            }
        });
    }

    [Fact]
    public async Task Numbers_that_were_collected_are_freed_a_little_later()
    {
        if (!ScalarLifetimes.Kept || !NativeHeap.IsKnown) return;
        const int Count = 400_000;   // at least 12 MB
        static void Make()
        {
            for (var i = 0; i < Count; i++) _ = (Scalar)0.5;
        }
        var before = NativeHeap.Bytes();
        Make();
        Assert.True(NativeHeap.Bytes() - before > 16 * Count / 4, "the numbers did not lie in the native heap");
        for (var waits = 0; waits < 40 && NativeHeap.Bytes() - before > 16 * Count / 16; waits++)
        {
            GC.Collect();
            await Task.Delay(250);
        }
        Assert.InRange(NativeHeap.Bytes() - before, long.MinValue, 16 * Count / 16);
    }
}
