using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ResearchKit.Native;

/// <summary>What a step computes between its products, on rows of float32.</summary>
internal static unsafe class RowMath
{
    private const int Lanes = 8;

    /// <summary>Σ a b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* a, float* b, int count)
    {
        Vector256<float> first = default, second = default;
        var i = 0;
        for (; i + (2 * Lanes) <= count; i += 2 * Lanes)
        {
            first = Vector256.FusedMultiplyAdd(Vector256.Load(a + i), Vector256.Load(b + i), first);
            second = Vector256.FusedMultiplyAdd(Vector256.Load(a + i + Lanes), Vector256.Load(b + i + Lanes), second);
        }
        var sum = Vector256.Sum(first + second);
        for (; i < count; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>y ← y + x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* y, float* x, int count)
    {
        var i = 0;
        for (; i + Lanes <= count; i += Lanes) (Vector256.Load(y + i) + Vector256.Load(x + i)).Store(y + i);
        for (; i < count; i++) y[i] += x[i];
    }

    /// <summary>Layer norm, (x − mean) / √(variance + ε) · weight + bias.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LayerNorm(float* x, float* weight, float* bias, float epsilon, float* y, int count)
    {
        var mean = Sum(x, count) / count;
        var (middle, squares) = (Vector256.Create(mean), Vector256<float>.Zero);
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            var centred = Vector256.Load(x + i) - middle;
            centred.Store(y + i);
            squares = Vector256.FusedMultiplyAdd(centred, centred, squares);
        }
        var sum = Vector256.Sum(squares);
        for (; i < count; i++)
        {
            y[i] = x[i] - mean;
            sum += y[i] * y[i];
        }
        var scale = 1 / MathF.Sqrt((sum / count) + epsilon);
        var scales = Vector256.Create(scale);
        for (i = 0; i + Lanes <= count; i += Lanes)
            Vector256.FusedMultiplyAdd(Vector256.Load(y + i) * scales, Vector256.Load(weight + i), Vector256.Load(bias + i))
                .Store(y + i);
        for (; i < count; i++) y[i] = (y[i] * scale * weight[i]) + bias[i];
    }

    /// <summary>RMS norm, x / √(mean(x²) + ε) · weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RmsNorm(float* x, float* weight, float epsilon, float* y, int count)
    {
        var scale = 1 / MathF.Sqrt((Dot(x, x, count) / count) + epsilon);
        var scales = Vector256.Create(scale);
        var i = 0;
        for (; i + Lanes <= count; i += Lanes) (Vector256.Load(x + i) * scales * Vector256.Load(weight + i)).Store(y + i);
        for (; i < count; i++) y[i] = x[i] * scale * weight[i];
    }

    /// <summary>Turns the pairs of channels (i, i + d/2) by angles with these cosines and sines.</summary>
    public static void Rotate(float* x, float* cosine, float* sine, float* y, int count)
    {
        var half = count / 2;
        for (var i = 0; i < half; i++)
        {
            y[i] = (x[i] * cosine[i]) - (x[half + i] * sine[i]);
            y[half + i] = (x[half + i] * cosine[i]) + (x[i] * sine[i]);
        }
    }

    private static float Sum(float* x, int count)
    {
        var sums = Vector256<float>.Zero;
        var i = 0;
        for (; i + Lanes <= count; i += Lanes) sums += Vector256.Load(x + i);
        var sum = Vector256.Sum(sums);
        for (; i < count; i++) sum += x[i];
        return sum;
    }
}
