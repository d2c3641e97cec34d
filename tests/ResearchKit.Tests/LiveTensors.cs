using TorchSharp;

namespace ResearchKit.Tests;

/// <summary>How many tensors are alive.</summary>
internal static class LiveTensors
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static bool finalizersAreStuck;

    /// <summary>The count after the garbage of earlier tests is gone, which would otherwise be collected in between.</summary>
    /// <remarks>
    /// Some tests leave threads behind for good, as a kernel does with a thread that libtorch would end the process for; one of them
    /// may keep the finalizers waiting. Then nothing is collected any more, and the count stands still by itself.
    /// </remarks>
    public static long Settled()
    {
        GC.Collect();
        if (!finalizersAreStuck) finalizersAreStuck = !Task.Run(GC.WaitForPendingFinalizers).Wait(Patience);
        return torch.Tensor.TotalCount;
    }
}
