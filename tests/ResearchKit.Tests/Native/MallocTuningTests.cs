using System.Reflection;
using System.Runtime.CompilerServices;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class MallocTuningTests
{
    private const long Piece = 4 << 20, Pieces = 100;

    [Fact]
    public void Freed_memory_is_kept_until_the_last_hold_is_disposed()
    {
        using (MallocTuning.Keep())
        {
            using (MallocTuning.Keep()) FillAndFree();
            Assert.Equal(1, Keepers);
            // another C library gives memory back as it likes
            if (NativeHeap.IsKnown) Assert.InRange(NativeHeap.Free(), Piece * Pieces / 2, long.MaxValue);
        }
        Assert.Equal(0, Keepers);
    }

    [Fact]
    public void A_hold_that_was_not_disposed_is_released_by_its_finalizer()
    {
        Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(0, Keepers);
    }

    private static int Keepers =>
        (int)typeof(MallocTuning).GetField("keepers", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => _ = MallocTuning.Keep();

    private static void FillAndFree()
    {
        Compute.Seed(1);
        var tensors = Enumerable.Range(0, (int)Pieces).Select(_ => ones(Piece / sizeof(float))).ToList();
        foreach (var one in tensors) one.Dispose();
    }
}
