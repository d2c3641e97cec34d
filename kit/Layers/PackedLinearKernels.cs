using System.Collections.Concurrent;
using System.Diagnostics;
using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Which kernel multiplies by a packed weight: for one row, for a few, and for many.</summary>
/// <param name="One">For one row: a token that is written.</param>
/// <param name="Few">For fewer than <see cref="ManyRows"/>.</param>
/// <param name="Many">For all others.</param>
internal sealed record PackedLinearKernels(LinearKernel One, LinearKernel Few, LinearKernel Many)
{
    /// <summary>From so many rows on, arithmetic rather than memory takes the time.</summary>
    public const int ManyRows = 16;

    private const int Inputs = 1024, Outputs = 2048, Copies = 5;   // 40 MB in float32, more than most caches
    private const double Gain = 0.85;   // a kernel replaces libtorch's only where it takes less than this share of its time

    private static readonly ConcurrentDictionary<(ScalarType DType, int Threads), Lazy<PackedLinearKernels>> measured = [];

    /// <summary>libtorch's for everything: where nothing else runs.</summary>
    public static PackedLinearKernels Plain { get; } = new(LinearKernel.Libtorch, LinearKernel.Libtorch, LinearKernel.Libtorch);

    /// <summary>All of them, in the order of the rows.</summary>
    public IEnumerable<LinearKernel> All => [One, Few, Many];

    /// <summary>The kernel for so many rows.</summary>
    public LinearKernel For(long rows) => rows == 1 ? One : rows < ManyRows ? Few : Many;

    /// <summary>What is fastest here, measured once: a few hundredths of a second.</summary>
    /// <param name="dtype">float32 or bfloat16.</param>
    /// <param name="device">Where the weight lies.</param>
    public static PackedLinearKernels Fastest(ScalarType dtype, DeviceType device) => device != DeviceType.CPU ? Plain
        : measured.GetOrAdd((dtype, OpenMp.Present), key => new(() => Measure(key.DType))).Value;

    private static PackedLinearKernels Measure(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weights = Enumerable.Range(0, Copies).Select(_ => ones([Outputs, Inputs], dtype, device: new Device(DeviceType.CPU))).ToList();
        var blocked = weights.Select(OneDnnLinear.Pack).OfType<Tensor>().ToList();
        if (blocked.Count < Copies) return Plain;
        LinearKernel Faster(int rows)
        {
            var x = ones([rows, Inputs], dtype, device: weights[0].device);
            return Time(LinearKernel.OneDnn, x, blocked) < Gain * Time(LinearKernel.Libtorch, x, weights) ? LinearKernel.OneDnn : LinearKernel.Libtorch;
        }
        return new(Faster(1), Faster(ManyRows / 2), Faster(4 * ManyRows));
    }

    /// <summary>Seconds, the least of a few; each product is by another weight, which the caches do not hold.</summary>
    private static double Time(LinearKernel kernel, Tensor x, List<Tensor> weights)
    {
        var least = double.PositiveInfinity;
        for (var number = 0; number < Copies; number++)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                kernel.Multiply(x, weights[number], null).Dispose();
            }
            catch (InvalidOperationException)
            {
                return double.PositiveInfinity;   // a processor that this kernel does not know
            }
            if (number > 0) least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalSeconds);   // the first one plans
        }
        return least;
    }
}
