using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>
/// The product of many rows of whole numbers with a weight. Codes of a panel are unpacked to 16 bits once for many rows.
/// </summary>
internal static unsafe class IntegerRows
{
    private const int Chunk = 128;   // rows whose inputs stay in the second-level cache

    /// <summary>Computes the panels of one thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(void* data, int thread, int threads)
    {
        var job = (IntegerJob*)data;
        var (from, to) = ThreadTeam.Share(job->Panels, thread, threads);
        var perBlock = Math.Max(1, IntegerJob.LongestSegment / job->Segment);   // segments that are unpacked together
        var numbers = perBlock * job->Segment * IntegerJob.PanelWidth;
        var weights = (short*)NativeMemory.AlignedAlloc((nuint)(numbers * sizeof(short)), 64);
        var sums = (float*)NativeMemory.AlignedAlloc(Chunk * IntegerJob.PanelWidth * sizeof(float), 64);
        for (var first = 0; first < job->PaddedRows; first += Chunk)
        {
            var rows = Math.Min(Chunk, job->PaddedRows - first);
            for (var panel = from; panel < to; panel++)
            {
                new Span<float>(sums, rows * IntegerJob.PanelWidth).Clear();
                for (var segment = 0; segment < job->Segments; segment += perBlock)
                {
                    var end = Math.Min(segment + perBlock, job->Segments);
                    for (var one = segment; one < end; one++)
                        CodeUnpacking.Unpack(job, panel, one,
                            weights + ((one - segment) * job->Segment * IntegerJob.PanelWidth));
                    for (var row = 0; row < rows; row += IntegerJob.RowBlock)
                        Multiply(job, panel, segment, end, first + row, weights, sums + (row * IntegerJob.PanelWidth));
                }
                Store(job, panel, first, rows, sums);
            }
        }
        NativeMemory.AlignedFree(weights);
        NativeMemory.AlignedFree(sums);
    }

    /// <summary>Adds the products of four rows with some segments of a panel to their sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(IntegerJob* job, int panel, int segment, int end, int row, short* weights, float* sums)
    {
        var inputs = segment * job->Segment;
        var x0 = (byte*)(job->X + ((long)row * job->Inputs) + inputs);
        var stride = (nint)job->Inputs * sizeof(short);
        var scale = job->XScales + ((long)row * job->Segments) + segment;
        var segments = (nint)job->Segments;
        var (perGroup, ofGroup) = (job->SegmentsOfGroup, segment % job->SegmentsOfGroup);
        var group = job->Scales + ((((long)panel * job->Groups) + (segment / perGroup)) * IntegerJob.PanelWidth);
        var left = job->Inputs - inputs;
        for (; segment < end; segment++, scale++)
        {
            Vector256<int> a0 = default, b0 = default, a1 = default, b1 = default;
            Vector256<int> a2 = default, b2 = default, a3 = default, b3 = default;
            byte* x1 = x0 + stride, x2 = x1 + stride, x3 = x2 + stride;
            var bytes = (nint)Math.Min(job->Segment, left) * sizeof(short);
            for (nint at = 0; at < bytes; at += 8, weights += 64)   // four inputs
            {
                var low = Vector256.Load(weights);
                var high = Vector256.Load(weights + 16);
                var x = Vector256.Create(*(int*)(x0 + at)).AsInt16();
                a0 = IntegerSums.Add(a0, low, x);
                b0 = IntegerSums.Add(b0, high, x);
                x = Vector256.Create(*(int*)(x1 + at)).AsInt16();
                a1 = IntegerSums.Add(a1, low, x);
                b1 = IntegerSums.Add(b1, high, x);
                x = Vector256.Create(*(int*)(x2 + at)).AsInt16();
                a2 = IntegerSums.Add(a2, low, x);
                b2 = IntegerSums.Add(b2, high, x);
                x = Vector256.Create(*(int*)(x3 + at)).AsInt16();
                a3 = IntegerSums.Add(a3, low, x);
                b3 = IntegerSums.Add(b3, high, x);
                low = Vector256.Load(weights + 32);
                high = Vector256.Load(weights + 48);
                x = Vector256.Create(*(int*)(x0 + at + 4)).AsInt16();
                a0 = IntegerSums.Add(a0, low, x);
                b0 = IntegerSums.Add(b0, high, x);
                x = Vector256.Create(*(int*)(x1 + at + 4)).AsInt16();
                a1 = IntegerSums.Add(a1, low, x);
                b1 = IntegerSums.Add(b1, high, x);
                x = Vector256.Create(*(int*)(x2 + at + 4)).AsInt16();
                a2 = IntegerSums.Add(a2, low, x);
                b2 = IntegerSums.Add(b2, high, x);
                x = Vector256.Create(*(int*)(x3 + at + 4)).AsInt16();
                a3 = IntegerSums.Add(a3, low, x);
                b3 = IntegerSums.Add(b3, high, x);
            }
            var (lowScales, highScales) = (Vector256.Load(group), Vector256.Load(group + 8));
            Flush(a0, b0, lowScales, highScales, scale[0], sums);
            Flush(a1, b1, lowScales, highScales, scale[segments], sums + 16);
            Flush(a2, b2, lowScales, highScales, scale[2 * segments], sums + 32);
            Flush(a3, b3, lowScales, highScales, scale[3 * segments], sums + 48);
            x0 += bytes;
            left -= job->Segment;
            if (++ofGroup < perGroup) continue;
            ofGroup = 0;
            group += IntegerJob.PanelWidth;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Flush(Vector256<int> a, Vector256<int> b, Vector256<float> low, Vector256<float> high, float scale,
        float* sums)
    {
        var x = Vector256.Create(scale);
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(a), Avx.Multiply(low, x), Vector256.Load(sums)).Store(sums);
        Fma.MultiplyAdd(Avx.ConvertToVector256Single(b), Avx.Multiply(high, x), Vector256.Load(sums + 8)).Store(sums + 8);
    }

    private static void Store(IntegerJob* job, int panel, int first, int rows, float* sums)
    {
        var start = panel * IntegerJob.PanelWidth;
        var width = Math.Min(IntegerJob.PanelWidth, job->Outputs - start);
        var bias = job->Bias is null ? null : job->Bias + start;
        for (var row = 0; row < rows && first + row < job->Rows; row++)
            IntegerSums.Store(sums + (row * IntegerJob.PanelWidth), job->Y + ((long)(first + row) * job->Outputs) + start, bias,
                width);
    }
}
