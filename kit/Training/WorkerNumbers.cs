using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Single numbers between processes.</summary>
internal static class WorkerNumbers
{
    /// <summary>The sum of a number over all processes; the number itself where there is one process.</summary>
    public static double Total(this ICommunicator? workers, double value, Device device)
    {
        if (workers is not { WorldSize: > 1 }) return value;
        using var one = tensor(value, ScalarType.Float64, device);
        workers.AllReduce([one]);
        return one.item<double>();
    }

    /// <summary>The kernels of the first process, in all of them: processes that chose for themselves could round differently.</summary>
    public static KernelTable SameKernels(this ICommunicator workers)
    {
        using var chosen = zeros([KernelTable.Known.Count], ScalarType.Int64);
        if (workers.Rank == 0)
        {
            using var own = tensor(Compute.Kernels.Numbers());
            chosen.copy_(own);
        }
        workers.Broadcast([chosen], from: 0);
        return KernelTable.FromNumbers([.. chosen.data<long>()]);
    }
}
