using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>A float32 weight [out, in] in the usual order, for one row of a step.</summary>
/// <param name="weight">Contiguous, on the CPU; it outlives this object.</param>
internal sealed unsafe class PlainRowWeight(Tensor weight) : RowWeight
{
    private const int Together = 4;   // outputs

    private float* start;

    public override int Outputs { get; } = (int)weight.shape[0];

    public override int Inputs { get; } = (int)weight.shape[1];

    public override void Locate() => start = (float*)NativeTensors.Data(weight);

    public override void Multiply(float* x, float* bias, float* y, StepRoom room, int thread, int threads)
    {
        var (from, to) = ThreadTeam.Share((Outputs + Together - 1) / Together, thread, threads);
        var last = Math.Min(Outputs, to * Together);
        for (var output = from * Together; output < last; output += Together)
            if (last - output < Together)
                for (; output < last; output++) y[output] = RowMath.Dot(x, start + ((long)output * Inputs), Inputs);
            else Four(x, start + ((long)output * Inputs), Inputs, y + output);
        if (bias is null) return;
        for (var output = from * Together; output < last; output++) y[output] += bias[output];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(float* x, float* w, int inputs, float* y)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        float* w1 = w + inputs, w2 = w1 + inputs, w3 = w2 + inputs;
        var i = 0;
        for (; i + 16 <= inputs; i += 16)
        {
            var (p, q) = (Vector256.Load(x + i), Vector256.Load(x + i + 8));
            a = Fma.MultiplyAdd(p, Vector256.Load(w + i), a);
            b = Fma.MultiplyAdd(q, Vector256.Load(w + i + 8), b);
            c = Fma.MultiplyAdd(p, Vector256.Load(w1 + i), c);
            d = Fma.MultiplyAdd(q, Vector256.Load(w1 + i + 8), d);
            e = Fma.MultiplyAdd(p, Vector256.Load(w2 + i), e);
            f = Fma.MultiplyAdd(q, Vector256.Load(w2 + i + 8), f);
            g = Fma.MultiplyAdd(p, Vector256.Load(w3 + i), g);
            h = Fma.MultiplyAdd(q, Vector256.Load(w3 + i + 8), h);
        }
        var rest = inputs - i;
        y[0] = Vector256.Sum(a + b) + RowMath.Dot(x + i, w + i, rest);
        y[1] = Vector256.Sum(c + d) + RowMath.Dot(x + i, w1 + i, rest);
        y[2] = Vector256.Sum(e + f) + RowMath.Dot(x + i, w2 + i, rest);
        y[3] = Vector256.Sum(g + h) + RowMath.Dot(x + i, w3 + i, rest);
    }
}
