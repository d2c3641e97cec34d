using System.Diagnostics;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>How fast a device multiplies large matrices: the ceiling that a model's own rate is held against.</summary>
public static class MatrixProductRate
{
    private const int Side = 2048, Repeats = 3;
    private static readonly Dictionary<(string Device, ScalarType Type, int Threads, bool TensorFloat32, bool OneDnn), double> Measured = [];

    /// <summary>Floating-point operations per second of products of square matrices, by the kernel that the kit's layers use, the best of three; measured once for each device, type and number of threads, in well under a second.</summary>
    /// <param name="device">Such as the model's.</param>
    /// <param name="type">float32, bfloat16, …</param>
    public static double Of(Device device, ScalarType type = ScalarType.Float32)
    {
        lock (Measured)
        {
            var key = (device.ToString(), type, Compute.Threads, Compute.AllowTensorFloat32, Compute.UsesOneDnnProducts);
            if (!Measured.TryGetValue(key, out var rate)) Measured[key] = rate = Measure(device, type);
            return rate;
        }
    }

    private static double Measure(Device device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (a, b) = (ones([Side, Side], type, device), ones([Side, Side], type, device));
        Multiply(a, b);   // the first prepares
        return Enumerable.Range(0, Repeats).Max(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            Multiply(a, b);
            return 2.0 * Side * Side * Side / Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
    }

    private static void Multiply(Tensor a, Tensor b)
    {
        using var product = OneDnnProducts.Fit(a, b) ? OneDnnProducts.Linear(a, b) : a.mm(b);
        using var one = product[0, 0];
        one.to(ScalarType.Float32).item<float>();   // waits for a device that runs beside us
    }
}
