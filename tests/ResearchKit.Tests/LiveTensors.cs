using TorchSharp;

namespace ResearchKit.Tests;

/// <summary>How many tensors are alive.</summary>
internal static class LiveTensors
{
    /// <summary>
    /// Tensors that this thread has made, less those that it disposed of: what the garbage collector frees, of earlier tests
    /// too, does not count.
    /// </summary>
    public static long Count => DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

    /// <summary>
    /// Tensors of all threads, after the garbage collector has freed all that nobody holds: it takes seconds where the heap is
    /// large.
    /// </summary>
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
