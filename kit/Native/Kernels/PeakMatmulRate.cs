using System.Diagnostics;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>How fast a device multiplies large matrices: the ceiling that a model's own rate is held against.</summary>
public static class PeakMatmulRate
{
    private const int LeastSide = 256, MostSide = 2048, Repeats = 3;
    private const double LongEnough = 0.01;   // seconds that a product takes from which on its own time can be told
    private static readonly Dictionary<(string Device, ScalarType Type, int Threads, bool TensorFloat32, string Kernels), double>
        Measured = [];

    /// <summary>
    /// Floating-point operations per second of products of large square matrices, by the kernel that the kit's layers use, the
    /// best of three; measured once for each device, type and number of threads, in well under a second.
    /// </summary>
    /// <param name="device">Such as the model's.</param>
    /// <param name="type">float32, bfloat16, …</param>
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
    /// By squares as large as the device multiplies in good time: a processor may have no fast way for a 16-bit type.
    /// </summary>
    private static double Measure(Device device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (device.type == TorchSharp.DeviceType.CPU && type == ScalarType.BFloat16 && Kernels.Current.EmulatesBFloat16Products)
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
        Multiply(a, b);   // the first prepares
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
        one.to(ScalarType.Float32).item<float>();   // waits for a device that runs beside us
    }
}
