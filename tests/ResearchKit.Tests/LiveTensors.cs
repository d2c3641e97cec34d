using TorchSharp;

namespace ResearchKit.Tests;

/// <summary>How many tensors are alive.</summary>
internal static class LiveTensors
{
    /// <summary>The count after the garbage of earlier tests is gone, which would otherwise be collected in between.</summary>
    public static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
