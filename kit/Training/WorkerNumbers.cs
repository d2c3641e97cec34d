using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Single numbers between processes.</summary>
internal static class WorkerNumbers
{
    /// <summary>The sum of a number over all processes; the number itself where there is one process.</summary>
    public static double Total(this IWorkers? workers, double value, Device device)
    {
        if (workers is not { Count: > 1 }) return value;
        using var one = tensor(value, ScalarType.Float64, device);
        workers.Sum([one]);
        return one.item<double>();
    }
}
