using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>Unpacks the codes of a segment of a panel to whole numbers of 16 bits, less their zero points.</summary>
internal static unsafe class CodeUnpacking
{
    /// <summary>Writes [inputs / 2][16 outputs][2 inputs].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(IntegerJob* job, int panel, int segment, short* numbers)
    {
        var start = segment * job->Segment;
        var inputs = Math.Min(job->Segment, job->Inputs - start);
        var (low, high) = Zeros(job, panel, segment);
        var isBytes = job->Storage == CodeStorage.Bytes;
        var codes = job->Codes + ((((long)panel * job->Inputs) + start) * IntegerJob.PanelWidth / (isBytes ? 1 : 2));
        if (isBytes) Bytes(codes, inputs / 2, low, high, numbers);
        else if (job->Storage == CodeStorage.Nibbles) Nibbles(codes, inputs / 4, low, high, numbers);
        else Table(codes, inputs / 4, job->Table, numbers);
    }

    /// <summary>The zero points of 8 and 8 outputs, each twice.</summary>
    private static (Vector256<short> Low, Vector256<short> High) Zeros(IntegerJob* job, int panel, int segment)
    {
        if (job->Zeros is null) return (Vector256.Create((short)job->Zero), Vector256.Create((short)job->Zero));
        var zeros = job->Zeros + ((((long)panel * job->Groups) + (segment / job->SegmentsOfGroup)) * IntegerJob.PanelWidth);
        return (Twice(zeros), Twice(zeros + 8));

        static Vector256<short> Twice(sbyte* zeros)
        {
            var wide = Avx2.ConvertToVector256Int32(zeros);
            return Avx2.Or(Avx2.ShiftLeftLogical(wide, 16), Avx2.And(wide, Vector256.Create(0xFFFF))).AsInt16();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Bytes(byte* codes, int pairs, Vector256<short> low, Vector256<short> high, short* numbers)
    {
        for (var pair = 0; pair < pairs; pair++, codes += 32, numbers += 32)
        {
            Avx2.Subtract(Avx2.ConvertToVector256Int16((sbyte*)codes), low).Store(numbers);
            Avx2.Subtract(Avx2.ConvertToVector256Int16((sbyte*)codes + 16), high).Store(numbers + 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Nibbles(byte* codes, int fours, Vector256<short> low, Vector256<short> high, short* numbers)
    {
        var mask = Vector256.Create((byte)15);
        for (var four = 0; four < fours; four++, codes += 32, numbers += 64)
        {
            var both = Vector256.Load(codes);
            var first = Avx2.And(both, mask);
            var second = Avx2.And(Avx2.ShiftRightLogical(both.AsUInt16(), 4).AsByte(), mask);
            Avx2.Subtract(Avx2.UnpackLow(first, default).AsInt16(), low).Store(numbers);
            Avx2.Subtract(Avx2.UnpackHigh(first, default).AsInt16(), high).Store(numbers + 16);
            Avx2.Subtract(Avx2.UnpackLow(second, default).AsInt16(), low).Store(numbers + 32);
            Avx2.Subtract(Avx2.UnpackHigh(second, default).AsInt16(), high).Store(numbers + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Table(byte* codes, int fours, sbyte* table, short* numbers)
    {
        var mask = Vector256.Create((byte)15);
        var low = Vector256.Create(Vector128.Load((byte*)table), Vector128.Load((byte*)table));
        var high = Vector256.Create(Vector128.Load((byte*)table + 16), Vector128.Load((byte*)table + 16));
        for (var four = 0; four < fours; four++, codes += 32, numbers += 64)
        {
            var both = Vector256.Load(codes);
            var place = Avx2.And(both, mask);
            Avx2.UnpackLow(Avx2.Shuffle(low, place), Avx2.Shuffle(high, place)).AsInt16().Store(numbers);
            Avx2.UnpackHigh(Avx2.Shuffle(low, place), Avx2.Shuffle(high, place)).AsInt16().Store(numbers + 16);
            place = Avx2.And(Avx2.ShiftRightLogical(both.AsUInt16(), 4).AsByte(), mask);
            Avx2.UnpackLow(Avx2.Shuffle(low, place), Avx2.Shuffle(high, place)).AsInt16().Store(numbers + 32);
            Avx2.UnpackHigh(Avx2.Shuffle(low, place), Avx2.Shuffle(high, place)).AsInt16().Store(numbers + 48);
        }
    }
}
