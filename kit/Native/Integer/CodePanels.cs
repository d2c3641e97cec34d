using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>How the inputs of a product with a <see cref="CodePanels"/> become whole numbers.</summary>
/// <param name="IsEightBits">
/// Whether they have 8 bits and one scale a row. Otherwise they have up to 16 bits and a scale for each segment, which is
/// float32's precision for all purposes of weights of at most 8 bits.
/// </param>
/// <param name="Scale">A fixed scale of all inputs; 0 to take the largest magnitude.</param>
internal readonly record struct InputPrecision(bool IsEightBits, float Scale = 0);

/// <summary>
/// A weight as codes, in the order in which the kit's own products of whole numbers read them. All sums inside a segment are
/// exact, so the results are the same on every processor and for every number of rows.
/// </summary>
/// <remarks>The caller disposes it.</remarks>
internal sealed unsafe class CodePanels : IDisposable
{
    private const int Width = IntegerJob.PanelWidth, TableScale = 8191, TableSegment = 32;
    private const long WorkOfThread = 1 << 16;   // products of two numbers for which another thread pays

    [ThreadStatic]
    private static short[]? codesOfInput;
    [ThreadStatic]
    private static float[]? scalesOfInput;
    [ThreadStatic]
    private static int[]? sumsOfInput;

    private readonly Tensor codes, scales;   // int8 or uint8, and float32
    private readonly Tensor? zeros, table;   // int8
    private readonly IntegerJob shape;
    private readonly float largestInput;
    private readonly float[] values;   // that codes of a table stand for

    /// <summary>Lays out a weight.</summary>
    /// <param name="weight">Its codes.</param>
    public CodePanels(WeightCodes weight)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (outputs, inputs) = ((int)weight.Codes.shape[0], (int)weight.Codes.shape[1]);
        var groups = (int)weight.Scales.shape[1];
        var segment = SegmentOf(weight, inputs, groups);
        var padded = (inputs + 3) / 4 * 4;
        shape = new IntegerJob
        {
            Storage = weight.Storage,
            Outputs = outputs,
            Inputs = padded,
            InputWidth = inputs,
            Segment = segment,
            Groups = groups,
            SegmentsOfGroup = groups == 1 ? int.MaxValue : inputs / groups / segment,
            Zero = weight.Zero,
            Factor = weight.Table is null ? 1 : 1f / TableScale,
        };
        values = weight.Table is null ? [] : [.. weight.Table];
        codes = (weight.Storage == CodeStorage.Bytes ? Bytes(weight.Codes, padded) : Nibbles(weight.Codes, padded))
            .DetachFromDisposeScope();
        scales = ByPanel(weight.Scales).DetachFromDisposeScope();
        zeros = weight.Zeros is null ? null : ByPanel(weight.Zeros).DetachFromDisposeScope();
        table = weight.Table is null ? null : TableOf(weight.Table).DetachFromDisposeScope();
        largestInput = Math.Min(short.MaxValue, int.MaxValue / ((long)weight.LargestMagnitude * segment));
    }

    /// <summary>Memory of codes, scales and zero points.</summary>
    public long Memory => codes.numel() + (scales.numel() * sizeof(float)) + (zeros?.numel() ?? 0);

    /// <summary>How the codes are stored.</summary>
    public CodeStorage Storage => shape.Storage;

    /// <summary>Number of outputs.</summary>
    public int Outputs => shape.Outputs;

    /// <summary>Number of inputs.</summary>
    public int Inputs => shape.InputWidth;

    /// <summary>Why a weight cannot be laid out; null where it can.</summary>
    public static string? Refusal(long inputs, long groups, CodeStorage storage)
    {
        if (!IntegerSums.IsSupported) return "this processor has no AVX2";
        if (storage == CodeStorage.None) return "its zero points are no whole numbers, or its code book has more than 16 values";
        return groups > 1 && inputs / groups % 4 != 0 ? $"groups of {inputs / groups} are not a multiple of 4" : null;
    }

    /// <summary>Some rows of the weight as it was given, in the current dispose scope.</summary>
    /// <param name="places">int64 [count], from 0 to out − 1.</param>
    public WeightCodes Rows(Tensor places)
    {
        var (panel, output) = (places.div(Width, RoundingMode.floor), places.remainder(Width));
        var made = shape.Storage == CodeStorage.Bytes ? CodesOf(panel, output) : NibblesOf(panel, output);
        return new WeightCodes(shape.Storage, made.narrow(1, 0, shape.InputWidth).contiguous(),
            ScalesOf(scales, panel, output), zeros is null ? null : ScalesOf(zeros, panel, output), shape.Zero);
    }

    private Tensor CodesOf(Tensor panel, Tensor output) =>
        codes.permute(0, 2, 1, 3).index(TensorIndex.Tensor(panel), TensorIndex.Tensor(output)).reshape(panel.shape[0], -1);

    private Tensor NibblesOf(Tensor panel, Tensor output)
    {
        var (half, quarter, last) = (output.div(8, RoundingMode.floor), output.remainder(8).div(4, RoundingMode.floor),
            output.remainder(4));
        var bytes = codes.permute(0, 3, 2, 4, 1, 5).index(TensorIndex.Tensor(panel), TensorIndex.Tensor(half),
            TensorIndex.Tensor(quarter), TensorIndex.Tensor(last));   // [count, four, input]
        return stack([bytes.bitwise_and(15), bytes.bitwise_right_shift(4)], 2).reshape(panel.shape[0], -1);
    }

    private static Tensor ScalesOf(Tensor numbers, Tensor panel, Tensor output) =>
        numbers.transpose(1, 2).index(TensorIndex.Tensor(panel), TensorIndex.Tensor(output));

    /// <summary>Computes x Wᵀ + b without recording a gradient.</summary>
    /// <param name="x">float32 [rows, in], contiguous, on the CPU; not empty.</param>
    /// <param name="bias">float32 [out], contiguous, or null.</param>
    /// <param name="precision">How x is rounded.</param>
    /// <returns>float32 [rows, out].</returns>
    public Tensor Multiply(Tensor x, Tensor? bias, InputPrecision precision)
    {
        var rows = (int)x.shape[0];
        var y = empty([rows, shape.Outputs], ScalarType.Float32);
        var job = Located(precision);
        job.Rows = rows;
        job.Input = (float*)NativeTensors.Data(x);
        job.Bias = bias is null ? null : (float*)NativeTensors.Data(bias);
        job.Y = (float*)NativeTensors.Data(y);
        job.X = Room(ref codesOfInput, (long)job.PaddedRows * job.Inputs);
        job.XScales = Room(ref scalesOfInput, (long)job.PaddedRows * job.Segments);
        job.XSums = Room(ref sumsOfInput, (long)job.PaddedRows * job.Segments);
        Run(&job);
        GC.KeepAlive(x);
        GC.KeepAlive(bias);
        GC.KeepAlive(this);
        return y;
    }

    /// <summary>Writes the numbers of a row.</summary>
    /// <param name="located">What <see cref="Located"/> returned.</param>
    /// <param name="row">From 0.</param>
    /// <param name="y">[in].</param>
    public void Read(in IntegerJob located, int row, float* y) => CodeRow.Dequantize(located, values, row, y);

    /// <summary>What a product reads, without its inputs, its bias and its memory.</summary>
    public IntegerJob Located(InputPrecision precision)
    {
        var job = shape;
        job.Codes = (byte*)NativeTensors.Data(codes);
        job.Scales = (float*)NativeTensors.Data(scales);
        job.Zeros = zeros is null ? null : (sbyte*)NativeTensors.Data(zeros);
        job.Table = table is null ? null : (sbyte*)NativeTensors.Data(table);
        job.IsByRow = precision.IsEightBits;
        job.Given = precision.Scale;
        job.Largest = precision.IsEightBits ? sbyte.MaxValue : largestInput;
        return job;
    }

    private static void Run(IntegerJob* job)
    {
        var most = OpenMp.Present is > 0 and var present ? present : Compute.Threads;
        var work = (long)job->PaddedRows * job->Inputs;
        ThreadTeam.Run(&InputRounding.Run, job, (int)Math.Min(most, work / WorkOfThread));
        var threads = (int)Math.Min(most, work * job->Outputs / WorkOfThread);
        if (job->Rows == 1) ThreadTeam.Run(&IntegerRow.Run, job, threads);
        else ThreadTeam.Run(&IntegerRows.Run, job, threads);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        codes.Dispose();
        scales.Dispose();
        zeros?.Dispose();
        table?.Dispose();
    }

    private static T* Room<T>(ref T[]? kept, long count) where T : unmanaged
    {
        if (kept is null || kept.Length < count) kept = GC.AllocateUninitializedArray<T>((int)count, pinned: true);
        return (T*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(kept, 0);
    }

    /// <summary>Longest part of a group for which sums of products fit into 32 bits.</summary>
    private static int SegmentOf(WeightCodes weight, int inputs, int groups)
    {
        var longest = weight.Table is null ? IntegerJob.LongestSegment : TableSegment;
        if (groups == 1) return longest;
        var size = inputs / groups;
        for (var length = Math.Min(longest, size); length > 4; length--)
            if (length % 4 == 0 && size % length == 0) return length;
        return 4;
    }

    /// <summary>[out, in] as [panels, in / 2, 16, 2], padded with zeros.</summary>
    private static Tensor Bytes(Tensor codes, int inputs) =>
        Padded(codes, inputs).view(-1, Width, inputs / 2, 2).permute(0, 2, 1, 3).contiguous();

    /// <summary>
    /// Four inputs a byte row: inputs 0 and 1 in the lower halves, 2 and 3 in the upper ones, of outputs 0–3, 8–11, 4–7,
    /// 12–15.
    /// </summary>
    private static Tensor Nibbles(Tensor codes, int inputs)
    {
        // from [panel, half, quarter, output, four, pair, input] to [pair, panel, four, quarter, half, output, input]
        var parts = Padded(codes, inputs).view(-1, 2, 2, 4, inputs / 4, 2, 2).permute(5, 0, 4, 2, 1, 3, 6);
        return parts[0].bitwise_or(parts[1].bitwise_left_shift(4)).contiguous();
    }

    private static Tensor Padded(Tensor codes, int inputs)
    {
        var (outputs, width) = (codes.shape[0], codes.shape[1]);
        var panels = (outputs + Width - 1) / Width;
        return panels * Width == outputs && inputs == width ? codes.contiguous()
            : nn.functional.pad(codes, [0, inputs - width, 0, (panels * Width) - outputs]);
    }

    /// <summary>[out, groups] as [panels, groups, 16].</summary>
    private static Tensor ByPanel(Tensor numbers)
    {
        var rows = (numbers.shape[0] + Width - 1) / Width * Width;
        var padded = rows == numbers.shape[0] ? numbers : nn.functional.pad(numbers, [0, 0, 0, rows - numbers.shape[0]]);
        return padded.view(-1, Width, numbers.shape[1]).transpose(1, 2).contiguous().clone();
    }

    private static Tensor TableOf(IReadOnlyList<float> values)
    {
        var whole = values.Select(value => (short)MathF.Round(value * TableScale)).ToList();
        return tensor((sbyte[])
            [.. whole.Select(value => unchecked((sbyte)value)), .. whole.Select(value => (sbyte)(value >> 8))]);
    }
}
