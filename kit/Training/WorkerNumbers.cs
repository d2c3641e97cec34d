using ResearchKit.Metrics;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Exchange of single numbers between processes.</summary>
internal static class WorkerNumbers
{
    /// <summary>
    /// Returns the sum of a number over all processes; the number itself without other processes.
    /// </summary>
    public static double Total(this ICommunicator? workers, double value, Device device)
    {
        if (workers is not { WorldSize: > 1 }) return value;
        using var one = tensor(value, ScalarType.Float64, device);
        workers.AllReduce([one]);
        return one.item<double>();
    }

    /// <summary>
    /// Returns the sum of a metric's states over all processes, with scores in the order of the ranks; null if no
    /// process has a state.
    /// </summary>
    public static MetricState? Total(this ICommunicator? workers, MetricState? state, Device device)
    {
        if (workers is not { WorldSize: > 1 }) return state;
        using var scope = NewDisposeScope();
        var lengths = zeros([workers.WorldSize, 2], ScalarType.Int64, device);
        lengths[workers.Rank, 0] = state?.Sums.Count ?? 0;
        lengths[workers.Rank, 1] = state?.Scores.Count ?? 0;
        workers.AllReduce([lengths]);
        var known = lengths.cpu().data<long>().ToArray().Chunk(2).ToArray();
        var (sums, scores) = (known.Max(one => one[0]), known.Sum(one => one[1]));
        if (sums + scores == 0) return null;
        var values = zeros([sums + scores], ScalarType.Float64, device);
        if (state is { Sums.Count: > 0 }) values[..(int)sums].copy_(tensor(state.Sums.ToArray()));
        var before = (int)(sums + known.Take(workers.Rank).Sum(one => one[1]));
        if (state is { Scores.Count: > 0 }) values[before..(before + state.Scores.Count)].copy_(tensor(state.Scores.ToArray()));
        workers.AllReduce([values]);
        var all = values.cpu().data<double>().ToArray();
        return new(all[..(int)sums], all[(int)sums..]);
    }

    /// <summary>
    /// Broadcasts the native kernels chosen by rank 0, because ranks that choose for themselves could round
    /// differently.
    /// </summary>
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
