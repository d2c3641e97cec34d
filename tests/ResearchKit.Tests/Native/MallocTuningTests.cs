using System.Runtime.CompilerServices;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class MallocTuningTests
{
    private const long Piece = 4 << 20, Pieces = 100;

    [Fact]
    public void What_is_freed_stays_until_nobody_keeps_it()
    {
        if (!NativeHeap.IsKnown) return;   // another C library gives memory back as it likes
        MallocTuning.Return();
        var before = Environment.WorkingSet;
        using (MallocTuning.Keep())
        {
            using (MallocTuning.Keep()) FillAndFree();
            Assert.InRange(Environment.WorkingSet - before, Piece * Pieces / 2, long.MaxValue);
        }
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, Piece * Pieces / 2);
    }

    [Fact]
    public void A_keeper_that_was_forgotten_keeps_nothing()
    {
        if (!NativeHeap.IsKnown) return;
        NativeHeap.Settled();
        MallocTuning.Return();
        var before = Environment.WorkingSet;
        Forget();
        FillAndFree();
        Assert.InRange(Environment.WorkingSet - before, Piece * Pieces / 2, long.MaxValue);
        NativeHeap.Settled();
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, Piece * Pieces / 2);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => _ = MallocTuning.Keep();

    private static void FillAndFree()
    {
        Compute.Seed(1);
        var tensors = Enumerable.Range(0, (int)Pieces).Select(_ => ones(Piece / sizeof(float))).ToList();
        foreach (var one in tensors) one.Dispose();
    }
}
