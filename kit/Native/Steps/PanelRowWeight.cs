using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>A float32 weight as oneDNN packs it, [panels][in][outputs of a panel], for one row of a step.</summary>
internal sealed unsafe class PanelRowWeight : RowWeight
{
    private const int LongestPanel = 64;

    private readonly Tensor packed;
    private readonly int width;   // outputs of a panel
    private float* start;

    private PanelRowWeight(Tensor packed, int outputs, int inputs, int width)
    {
        this.packed = packed;
        this.width = width;
        Outputs = outputs;
        Inputs = inputs;
    }

    public override int Outputs { get; }

    public override int Inputs { get; }

    public override void Locate() => start = (float*)NativeTensors.Data(packed);

    /// <summary>A weight that oneDNN packed; null where its layout is another, so that products differ from oneDNN's.</summary>
    /// <param name="packed">Weight returned by <see cref="OneDnnLinear.Pack"/>, float32; it outlives this object.</param>
    /// <param name="outputs">Its outputs.</param>
    /// <param name="inputs">Its inputs.</param>
    public static PanelRowWeight? Of(Tensor packed, int outputs, int inputs)
    {
        if (!Fma.IsSupported || WidthOfPanels(inputs) is not { } width) return null;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var made = new PanelRowWeight(packed, outputs, inputs, width);
        var x = KernelTrials.Numbers(1, inputs);
        var expected = OneDnnLinear.MultiplyPacked(x, packed, null);
        return (made.Multiply(x) - expected).abs().max().item<float>()
            <= KernelSelfCheck.Tolerance * expected.abs().max().item<float>() ? made : null;
    }

    public override void Multiply(float* x, float* bias, float* y, StepRoom room, int thread, int threads)
    {
        var (from, to) = ThreadTeam.Share((Outputs + width - 1) / width, thread, threads);
        var sums = stackalloc float[LongestPanel];
        for (var panel = from; panel < to; panel++)
        {
            var weights = start + ((long)panel * width * Inputs);
            for (var part = 0; part < width;)
            {
                var vectors = width / 8 % 3 == 0 ? 3 : Math.Min(4, width / 8);
                if (vectors == 3) Three(x, weights + part, width, Inputs, sums + part);
                else if (vectors == 4) Four(x, weights + part, width, Inputs, sums + part);
                else Two(x, weights + part, width, Inputs, sums + part);
                part += 8 * vectors;
            }
            var first = panel * width;
            IntegerSums.Store(sums, y + first, bias is null ? null : bias + first, Math.Min(width, Outputs - first));
        }
    }

    /// <summary>How many outputs oneDNN puts side by side, read off a weight of their numbers; null for another layout.</summary>
    private static int? WidthOfPanels(int inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var outputs = 3 * LongestPanel;   // of each width a multiple
        var numbers = arange(outputs, ScalarType.Float32).unsqueeze(1).expand(outputs, inputs).contiguous();
        if (inputs < 2 || OneDnnLinear.Pack(numbers) is not { } packed) return null;
        var at = (float*)NativeTensors.Data(packed);
        var width = 0;
        while (width <= LongestPanel && at[width] == width) width++;
        return width is 16 or 24 or 32 or 48 or 64 ? width : null;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(float* x, float* w, int stride, int inputs, float* sums)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        var i = 0;
        for (; i + 4 <= inputs; i += 4, w += 4 * stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
            p = Vector256.Create(x[i + 1]);
            c = Fma.MultiplyAdd(p, Vector256.Load(w + stride), c);
            d = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 8), d);
            p = Vector256.Create(x[i + 2]);
            e = Fma.MultiplyAdd(p, Vector256.Load(w + (2 * stride)), e);
            f = Fma.MultiplyAdd(p, Vector256.Load(w + (2 * stride) + 8), f);
            p = Vector256.Create(x[i + 3]);
            g = Fma.MultiplyAdd(p, Vector256.Load(w + (3 * stride)), g);
            h = Fma.MultiplyAdd(p, Vector256.Load(w + (3 * stride) + 8), h);
        }
        for (; i < inputs; i++, w += stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
        }
        (a + c + (e + g)).Store(sums);
        (b + d + (f + h)).Store(sums + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Three(float* x, float* w, int stride, int inputs, float* sums)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default,
            k = default;
        var i = 0;
        for (; i + 3 <= inputs; i += 3, w += 3 * stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
            c = Fma.MultiplyAdd(p, Vector256.Load(w + 16), c);
            p = Vector256.Create(x[i + 1]);
            d = Fma.MultiplyAdd(p, Vector256.Load(w + stride), d);
            e = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 8), e);
            f = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 16), f);
            p = Vector256.Create(x[i + 2]);
            g = Fma.MultiplyAdd(p, Vector256.Load(w + (2 * stride)), g);
            h = Fma.MultiplyAdd(p, Vector256.Load(w + (2 * stride) + 8), h);
            k = Fma.MultiplyAdd(p, Vector256.Load(w + (2 * stride) + 16), k);
        }
        for (; i < inputs; i++, w += stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
            c = Fma.MultiplyAdd(p, Vector256.Load(w + 16), c);
        }
        (a + d + g).Store(sums);
        (b + e + h).Store(sums + 8);
        (c + f + k).Store(sums + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(float* x, float* w, int stride, int inputs, float* sums)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        var i = 0;
        for (; i + 2 <= inputs; i += 2, w += 2 * stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
            c = Fma.MultiplyAdd(p, Vector256.Load(w + 16), c);
            d = Fma.MultiplyAdd(p, Vector256.Load(w + 24), d);
            p = Vector256.Create(x[i + 1]);
            e = Fma.MultiplyAdd(p, Vector256.Load(w + stride), e);
            f = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 8), f);
            g = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 16), g);
            h = Fma.MultiplyAdd(p, Vector256.Load(w + stride + 24), h);
        }
        for (; i < inputs; i++, w += stride)
        {
            var p = Vector256.Create(x[i]);
            a = Fma.MultiplyAdd(p, Vector256.Load(w), a);
            b = Fma.MultiplyAdd(p, Vector256.Load(w + 8), b);
            c = Fma.MultiplyAdd(p, Vector256.Load(w + 16), c);
            d = Fma.MultiplyAdd(p, Vector256.Load(w + 24), d);
        }
        (a + e).Store(sums);
        (b + f).Store(sums + 8);
        (c + g).Store(sums + 16);
        (d + h).Store(sums + 24);
    }
}
