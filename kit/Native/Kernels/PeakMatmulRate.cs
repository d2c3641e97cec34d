using System.Diagnostics;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// Peak matmul rate: how fast a device multiplies large matrices, as an upper bound for the rate of a model.
/// </summary>
public static class PeakMatmulRate
{
    private const int LeastSide = 256, MostSide = 2048, Repeats = 3;
    private const double LongEnough = 0.01;   // seconds of a product that can be timed reliably
    private static readonly Dictionary<(string Device, ScalarType Type, int Threads, bool TensorFloat32, string Kernels), double>
        Measured = [];

    /// <summary>
    /// Measures the FLOPs per second of products of large square matrices, with the kernel that the kit's layers
    /// use, as the best of three. It takes well under a second, and is measured once for each device, type and
    /// number of threads.
    /// </summary>
    /// <param name="device">Device to measure, such as the model's.</param>
    /// <param name="type">Dtype of the matrices: float32, bfloat16, …</param>
    public static double Of(Device device, ScalarType type = ScalarType.Float32)
    {
        lock (Measured)
        {
            var key = (device.ToString(), type, Compute.Threads, Compute.AllowTensorFloat32, Compute.Kernels.ToString());
            if (!Measured.TryGetValue(key, out var rate)) Measured[key] = rate = Measure(device, type);
            return rate;
        }
    }

    /// <summary>
    /// Measures products of square matrices, whose size doubles until one takes long enough. A CPU may be slow with
    /// a 16-bit type, so a fixed large size could take too long.
    /// </summary>
    private static double Measure(Device device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (BFloat16Emulation.FitsProduct(device.type, type))
            type = ScalarType.Float32;
        var side = LeastSide;
        var seconds = Seconds(side, device, type);
        while (side < MostSide && seconds < LongEnough) seconds = Seconds(side *= 2, device, type);
        return 2.0 * side * side * side / seconds;
    }

    private static double Seconds(int side, Device device, ScalarType type)
    {
        var a = ones([side, side], type, device);
        var b = ones([side, side], type, device);
        Multiply(a, b);   // warm-up
        return Enumerable.Range(0, Repeats).Min(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            Multiply(a, b);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }

    private static void Multiply(Tensor a, Tensor b)
    {
        using var product = Kernels.Current.MultipliesByOneDnn(a.shape[0], b.numel()) && OneDnnLinear.Fits(a, b)
            ? OneDnnLinear.Multiply(a, b) : a.mm(b);
        using var one = product[0, 0];
        one.to(ScalarType.Float32).item<float>();   // waits for an asynchronous device
    }
}
