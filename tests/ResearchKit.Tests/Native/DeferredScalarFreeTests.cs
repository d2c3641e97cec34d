using System.Collections.Concurrent;
using System.Reflection;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class DeferredScalarFreeTests
{
    /// <summary>
    /// TorchSharp's own way to call a function, under constant collection: without the queue some calls fail within a second.
    /// </summary>
    [Fact]
    public async Task Scalars_stay_alive_during_a_call_that_does_not_reference_them()
    {
        // the queue is for Linux; elsewhere callers must hold what they pass
        if (!OperatingSystem.IsLinux() || Workarounds.IsOff(Workarounds.ScalarFree)) return;
        Assert.True(DeferredScalarFree.Kept);
        var names = Enumerable.Range(0, 60).Select(number => $"a{number}").ToList();
        using var script = jit.compile($"def total(x, {string.Join(", ", names.Select(name => $"{name}: float"))}):\n    "
            + $"return x + {string.Join(" + ", names)}\n");
        await GarbageCollection.Meanwhile(() =>
        {
            using var zero = zeros(1, dtype: float64);
            for (var call = 0; call < 2_000; call++)
            {
                using var sum = (Tensor)script.invoke("total",
                    [zero, .. Enumerable.Range(0, 60).Select(number => (object)(call + (number / 64.0)))]);
                Assert.Equal((60 * call) + (60 * 59 / 128.0), sum.item<double>());
            }
        });
    }

    [Fact]
    public async Task Operations_use_the_correct_scalars_during_garbage_collection()
    {
        if (Workarounds.IsOff(Workarounds.ScalarFree)) return;   // without it some are wrong
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
    public void Small_numbers_are_cached_by_value_and_type()
    {
        if (!DeferredScalarFree.Kept) return;
        foreach (var make in new Func<Scalar>[] { () =>
            0.125, () => 3, () => 3L, () => 0.125f, () => -0.375, () => 32, () => -32.0, () => 0L, () => 0.0 })
        {
            make().Dispose();
            Assert.Equal(Address(make()), Address(make()));
        }
        Assert.NotEqual(Address(3), Address(3L));
        using var counts = tensor(new long[] { 1, 2 });
        foreach (var (sum, type) in new[] { (counts + 3, int64), (counts + 3L, int64), (counts + 0.375, float32),
            (counts + 0.125f, float32) })
        {
            using var held = sum;
            Assert.Equal(type, held.dtype);
        }
        using var exact = zeros(1, dtype: float64).add(0.375);
        Assert.Equal(0.375, exact.item<double>());
        using var negative = zeros(1, dtype: float64).mul(-0.0);
        Assert.True(double.IsNegative(negative.item<double>()));
    }

    [Fact]
    public void Other_numbers_are_not_cached()
    {
        if (!DeferredScalarFree.Kept) return;
        foreach (var make in new Func<Scalar>[] { () =>
            33, () => 33L, () => -32.0625, () => 0.1, () => 0.1f, () => -0.0, () => double.NaN, () => double.PositiveInfinity })
        {
            using var one = make();
            Assert.False(ScalarCache.Contains(Address(one)));
        }
    }

    [Fact]
    public async Task Collected_scalars_are_freed_after_a_delay()
    {
        if (!DeferredScalarFree.Kept) return;
        var queue = (ConcurrentQueue<nint>)typeof(DeferredScalarFree)
            .GetField("Queue", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
        static void Make()
        {
            for (var i = 0; i < 1000; i++) _ = (Scalar)(0.3 + i);
        }
        for (var attempt = 0; queue.IsEmpty; attempt++)   // they may be freed before this thread looks
        {
            Assert.True(attempt < 20, "The numbers were not queued.");
            Make();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        for (var waits = 0; waits < 600 && !queue.IsEmpty; waits++) await Task.Delay(100);
        Assert.Empty(queue);
    }

    private static nint Address(Scalar number) =>
        (nint)typeof(Scalar).GetProperty("Handle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(number)!;
}
