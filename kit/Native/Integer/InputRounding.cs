using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>Rounds the inputs of a product to whole numbers with a scale for each row or segment.</summary>
internal static unsafe class InputRounding
{
    /// <summary>Rounds the rows of one thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(void* data, int thread, int threads)
    {
        var job = (IntegerJob*)data;
        var (from, to) = ThreadTeam.Share(job->PaddedRows, thread, threads);
        for (var row = from; row < to; row++)
            if (row < job->Rows) Row(job, row);
            else Clear(job, row);
    }

    private static void Row(IntegerJob* job, int row)
    {
        var input = job->Input + ((long)row * job->InputWidth);
        var codes = job->X + ((long)row * job->Inputs);
        var place = (long)row * job->Segments;
        var isWhole = job->Given != 0 || job->IsByRow;
        var whole = isWhole ? Scale(input, job->InputWidth, job->Largest) : 0;
        if (job->Given != 0) whole = job->Given + (whole * 0);   // NaN where an input is not finite
        for (var segment = 0; segment < job->Segments; segment++)
        {
            var start = segment * job->Segment;
            var length = Math.Min(job->Segment, job->InputWidth - start);
            var scale = isWhole ? whole : Scale(input + start, length, job->Largest);
            job->XScales[place + segment] = scale * job->Factor;
            job->XSums[place + segment] = Round(input + start, codes + start, length, scale, job->Largest);
            var end = Math.Min(job->Segment, job->Inputs - start);
            for (var i = length; i < end; i++) codes[start + i] = 0;
        }
    }

    private static void Clear(IntegerJob* job, int row)
    {
        new Span<short>(job->X + ((long)row * job->Inputs), job->Inputs).Clear();
        new Span<float>(job->XScales + ((long)row * job->Segments), job->Segments).Clear();
    }

    /// <summary>The largest magnitude over the largest whole number; NaN if an input is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Scale(float* input, int count, float largest)
    {
        var high = Vector256<float>.Zero;
        var check = Vector256<float>.Zero;   // becomes NaN with an input that is not finite
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var x = Vector256.Load(input + i);
            high = Avx.Max(high, Vector256.Abs(x));
            check = Fma.MultiplyAdd(x, Vector256<float>.Zero, check);
        }
        float most = 0, sum = Vector256.Sum(check);
        for (var lane = 0; lane < 8; lane++) most = Math.Max(most, high.GetElement(lane));
        for (; i < count; i++)
        {
            most = Math.Max(most, Math.Abs(input[i]));
            sum += input[i] * 0;
        }
        return (most / largest) + sum;
    }

    /// <summary>Rounds to nearest, ties to even.</summary>
    /// <returns>The sum of the whole numbers.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Round(float* input, short* codes, int count, float scale, float largest)
    {
        // a scale so small that its inverse overflows belongs to numbers that are zero for all purposes
        var inverse = scale > float.MinValue && 1 / scale is var turned && float.IsFinite(turned) ? turned : 0;
        var (low, high) = (Vector256.Create(-largest), Vector256.Create(largest));
        var (step, factor) = (Vector256.Create(scale), Vector256.Create(inverse));
        var isExact = largest < 1024 && inverse != 0;   // as x / scale is rounded elsewhere
        var sums = Vector256<int>.Zero;
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var x = Vector256.Load(input + i);
            var value = Avx.Max(low, Avx.Min(high, isExact ? Avx.Divide(x, step) : Avx.Multiply(x, factor)));
            var whole = Avx.ConvertToVector256Int32(value);
            sums = Avx2.Add(sums, whole);
            Sse2.Store(codes + i, Sse2.PackSignedSaturate(whole.GetLower(), whole.GetUpper()));
        }
        var sum = Vector256.Sum(sums);
        for (; i < count; i++)
        {
            var value = MathF.Round(Math.Clamp(isExact ? input[i] / scale : input[i] * inverse, -largest, largest));
            codes[i] = float.IsNaN(value) ? (short)0 : (short)value;
            sum += codes[i];
        }
        return sum;
    }
}
