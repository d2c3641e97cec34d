using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>The product of one row of whole numbers with a weight, straight from the codes.</summary>
internal static unsafe class IntegerRow
{
    /// <summary>Computes the panels of one thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(void* data, int thread, int threads)
    {
        var job = (IntegerJob*)data;
        var (from, to) = ThreadTeam.Share(job->Panels, thread, threads);
        var bytes = (long)job->Inputs * IntegerJob.PanelWidth / (job->Storage == CodeStorage.Bytes ? 1 : 2);
        for (var panel = from; panel < to; panel++)
        {
            var codes = job->Codes + (panel * bytes);
            var sums = job->Storage switch
            {
                CodeStorage.Bytes => Bytes(job, panel, codes),
                CodeStorage.Nibbles => Nibbles(job, panel, codes),
                _ => Table(job, panel, codes),
            };
            Store(job, panel, sums.Low, sums.High);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (Vector256<float> Low, Vector256<float> High) Bytes(IntegerJob* job, int panel, byte* codes)
    {
        Vector256<float> low = default, high = default;
        for (var segment = 0; segment < job->Segments; segment++)
        {
            Vector256<int> a = default, b = default, c = default, d = default;
            var x = job->X + (segment * job->Segment);
            var end = x + Math.Min(job->Segment, job->Inputs - (segment * job->Segment));
            for (; x < end; x += 4, codes += 64)
            {
                var first = Vector256.Create(*(int*)x).AsInt16();
                var second = Vector256.Create(*(int*)(x + 2)).AsInt16();
                a = IntegerSums.Add(a, Avx2.ConvertToVector256Int16((sbyte*)codes), first);
                b = IntegerSums.Add(b, Avx2.ConvertToVector256Int16((sbyte*)codes + 16), first);
                c = IntegerSums.Add(c, Avx2.ConvertToVector256Int16((sbyte*)codes + 32), second);
                d = IntegerSums.Add(d, Avx2.ConvertToVector256Int16((sbyte*)codes + 48), second);
            }
            Flush(job, panel, segment, Avx2.Add(a, c), Avx2.Add(b, d), ref low, ref high);
        }
        return (low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (Vector256<float> Low, Vector256<float> High) Nibbles(IntegerJob* job, int panel, byte* codes)
    {
        Vector256<float> low = default, high = default;
        var mask = Vector256.Create((byte)15);
        for (var segment = 0; segment < job->Segments; segment++)
        {
            Vector256<int> a = default, b = default, c = default, d = default;
            var x = job->X + (segment * job->Segment);
            var end = x + Math.Min(job->Segment, job->Inputs - (segment * job->Segment));
            for (; x < end; x += 4, codes += 32)
            {
                var both = Vector256.Load(codes);
                var lower = Avx2.And(both, mask);
                var upper = Avx2.And(Avx2.ShiftRightLogical(both.AsUInt16(), 4).AsByte(), mask);
                var first = Vector256.Create(*(int*)x).AsInt16();
                var second = Vector256.Create(*(int*)(x + 2)).AsInt16();
                a = IntegerSums.Add(a, Avx2.UnpackLow(lower, default).AsInt16(), first);
                b = IntegerSums.Add(b, Avx2.UnpackHigh(lower, default).AsInt16(), first);
                c = IntegerSums.Add(c, Avx2.UnpackLow(upper, default).AsInt16(), second);
                d = IntegerSums.Add(d, Avx2.UnpackHigh(upper, default).AsInt16(), second);
            }
            Flush(job, panel, segment, Avx2.Add(a, c), Avx2.Add(b, d), ref low, ref high);
        }
        return (low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (Vector256<float> Low, Vector256<float> High) Table(IntegerJob* job, int panel, byte* codes)
    {
        Vector256<float> low = default, high = default;
        var mask = Vector256.Create((byte)15);
        var lowBytes = Vector256.Create(Vector128.Load((byte*)job->Table), Vector128.Load((byte*)job->Table));
        var highBytes = Vector256.Create(Vector128.Load((byte*)job->Table + 16), Vector128.Load((byte*)job->Table + 16));
        for (var segment = 0; segment < job->Segments; segment++)
        {
            Vector256<int> a = default, b = default;
            var x = job->X + (segment * job->Segment);
            var end = x + Math.Min(job->Segment, job->Inputs - (segment * job->Segment));
            for (; x < end; x += 4, codes += 32)
            {
                var both = Vector256.Load(codes);
                var lower = Avx2.And(both, mask);
                var upper = Avx2.And(Avx2.ShiftRightLogical(both.AsUInt16(), 4).AsByte(), mask);
                var first = Vector256.Create(*(int*)x).AsInt16();
                var second = Vector256.Create(*(int*)(x + 2)).AsInt16();
                var (p, q) = (Avx2.Shuffle(lowBytes, lower), Avx2.Shuffle(highBytes, lower));
                a = IntegerSums.Add(a, Avx2.UnpackLow(p, q).AsInt16(), first);
                b = IntegerSums.Add(b, Avx2.UnpackHigh(p, q).AsInt16(), first);
                (p, q) = (Avx2.Shuffle(lowBytes, upper), Avx2.Shuffle(highBytes, upper));
                a = IntegerSums.Add(a, Avx2.UnpackLow(p, q).AsInt16(), second);
                b = IntegerSums.Add(b, Avx2.UnpackHigh(p, q).AsInt16(), second);
            }
            Flush(job, panel, segment, a, b, ref low, ref high);
        }
        return (low, high);
    }

    /// <summary>Adds the sums of a segment, times its scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Flush(IntegerJob* job, int panel, int segment, Vector256<int> a, Vector256<int> b,
        ref Vector256<float> low, ref Vector256<float> high)
    {
        var group = (((long)panel * job->Groups) + (segment / job->SegmentsOfGroup)) * IntegerJob.PanelWidth;
        var sum = Vector256.Create(job->XSums[segment]);
        if (job->Zeros is not null)
        {
            a = Avx2.Subtract(a, Avx2.MultiplyLow(Avx2.ConvertToVector256Int32(job->Zeros + group), sum));
            b = Avx2.Subtract(b, Avx2.MultiplyLow(Avx2.ConvertToVector256Int32(job->Zeros + group + 8), sum));
        }
        else if (job->Zero != 0)
        {
            var shift = Avx2.MultiplyLow(Vector256.Create(job->Zero), sum);
            (a, b) = (Avx2.Subtract(a, shift), Avx2.Subtract(b, shift));
        }
        var scale = Vector256.Create(job->XScales[segment]);
        low = Fma.MultiplyAdd(Avx.ConvertToVector256Single(a), Avx.Multiply(Vector256.Load(job->Scales + group), scale), low);
        high = Fma.MultiplyAdd(Avx.ConvertToVector256Single(b), Avx.Multiply(Vector256.Load(job->Scales + group + 8), scale),
            high);
    }

    private static void Store(IntegerJob* job, int panel, Vector256<float> low, Vector256<float> high)
    {
        var start = panel * IntegerJob.PanelWidth;
        var sums = stackalloc float[IntegerJob.PanelWidth];
        low.Store(sums);
        high.Store(sums + 8);
        IntegerSums.Store(sums, job->Y + start, job->Bias is null ? null : job->Bias + start,
            Math.Min(IntegerJob.PanelWidth, job->Outputs - start));
    }
}
