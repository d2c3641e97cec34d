using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ResearchKit.Native;

/// <summary>Attention of one query over the keys and values of a head: softmax(q Kᵀ / √d) V.</summary>
internal static unsafe class RowAttention
{
    private const int Lanes = 8;

    /// <summary>Computes it.</summary>
    /// <param name="query">[d].</param>
    /// <param name="keys">[time, d].</param>
    /// <param name="values">[time, d].</param>
    /// <param name="time">Number of keys.</param>
    /// <param name="width">d.</param>
    /// <param name="scores">[time], overwritten.</param>
    /// <param name="z">[d], the result.</param>
    public static void Attend(float* query, float* keys, float* values, int time, int width, float* scores, float* z)
    {
        var scale = 1 / MathF.Sqrt(width);
        var largest = float.NegativeInfinity;
        for (var token = 0; token < time; token++)
        {
            scores[token] = RowMath.Dot(query, keys + ((long)token * width), width) * scale;
            largest = MathF.Max(largest, scores[token]);
        }
        var sum = Exponentials(scores, time, largest);
        Mix(scores, values, time, width, 1 / sum, z);
    }

    /// <summary>scores ← exp(scores − largest).</summary>
    /// <returns>Their sum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Exponentials(float* scores, int count, float largest)
    {
        var (top, sums) = (Vector256.Create(largest), Vector256<float>.Zero);
        var i = 0;
        for (; i + Lanes <= count; i += Lanes)
        {
            var powers = Vector256.Exp(Vector256.Load(scores + i) - top);
            powers.Store(scores + i);
            sums += powers;
        }
        var sum = Vector256.Sum(sums);
        for (; i < count; i++) sum += scores[i] = MathF.Exp(scores[i] - largest);
        return sum;
    }

    /// <summary>z ← scale · Σ shares V.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Mix(float* shares, float* values, int time, int width, float scale, float* z)
    {
        var (i, factor) = (0, Vector256.Create(scale));
        for (; i + (4 * Lanes) <= width; i += 4 * Lanes)
        {
            Vector256<float> a = default, b = default, c = default, d = default;
            var value = values + i;
            for (var token = 0; token < time; token++, value += width)
            {
                var share = Vector256.Create(shares[token]);
                a = Vector256.FusedMultiplyAdd(share, Vector256.Load(value), a);
                b = Vector256.FusedMultiplyAdd(share, Vector256.Load(value + Lanes), b);
                c = Vector256.FusedMultiplyAdd(share, Vector256.Load(value + (2 * Lanes)), c);
                d = Vector256.FusedMultiplyAdd(share, Vector256.Load(value + (3 * Lanes)), d);
            }
            (a * factor).Store(z + i);
            (b * factor).Store(z + i + Lanes);
            (c * factor).Store(z + i + (2 * Lanes));
            (d * factor).Store(z + i + (3 * Lanes));
        }
        for (; i < width; i++)
        {
            var sum = 0f;
            for (var token = 0; token < time; token++) sum += shares[token] * values[((long)token * width) + i];
            z[i] = sum * scale;
        }
    }
}
