using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A weight as codes, which multiplies by the kernel that is fastest on this machine.</summary>
internal class QuantizedWeight : PackedMatrix
{
    private readonly CodePanels? panels;       // null where the kit's integer products cannot take the weight
    private readonly QuantizedTensor? plain;   // then the codes as they are
    private readonly string? refusal;          // and why
    private readonly DeviceType device;
    private readonly Lock gate = new();
    private OneDnnCodes? oneDnn;               // the codes once more, where oneDNN is faster for some number of rows

    /// <param name="weight">[out, in] as codes; the caller keeps it.</param>
    /// <param name="inputScale">Scale of all inputs, for static 8-bit inputs; else null.</param>
    /// <exception cref="ArgumentException">The inputs are static and there is no scale, or it is not positive.</exception>
    public QuantizedWeight(QuantizedTensor weight, float? inputScale) : base(weight.Scheme.CodeType)
    {
        Scheme = weight.Scheme;
        (Outputs, Inputs) = (weight.Codes.shape[0], weight.Codes.shape[1]);
        device = weight.Codes.device_type;
        if (Scheme.Inputs == QuantizedInputs.StaticEightBits && inputScale is not > 0)
            throw new ArgumentException("Static 8-bit inputs need a scale above 0, which calibration finds.", nameof(inputScale));
        InputScale = Scheme.Inputs == QuantizedInputs.StaticEightBits ? inputScale : null;
        refusal = device == DeviceType.CPU
            ? CodePanels.Refusal(Inputs, weight.Scales.shape[1], IntegerCodes.Of(weight.Scheme, weight.ZeroPoints))
            : $"the kit's integer products run on the CPU, and the weight is on {device}";
        using var scope = NewDisposeScope();
        if (refusal is null) panels = new CodePanels(IntegerCodes.Of(weight));
        else plain = weight.Copy();
    }

    /// <summary>How the codes were made.</summary>
    public QuantizationScheme Scheme { get; }

    /// <summary>Scale of all inputs; null where it is found anew, or inputs are not rounded.</summary>
    public float? InputScale { get; }

    public long Outputs { get; }

    public long Inputs { get; }

    public override long Bytes => panels is not null ? panels.Memory + (oneDnn?.Memory ?? 0)
        : plain!.Codes.numel() + (plain.Scales.numel() * sizeof(float));

    public override string Kernel => refusal is null
        ? $"{Scheme} · {Gains.Described(MayUseOneDnn)}"
        : $"{Scheme} · float32 product of the dequantized weight: {refusal}";

    /// <summary>Whether inputs are rounded to 8 bits.</summary>
    protected bool IsEightBits => Scheme.Inputs != QuantizedInputs.Unrounded;

    /// <summary>Why the kit's integer products cannot take the weight; null where they can.</summary>
    protected string? RefusalOfIntegers => refusal;

    /// <summary>How the codes are stored; null where the integer products cannot take them.</summary>
    protected CodeStorage? Storage => panels?.Storage;

    private bool MayUseOneDnn => IsEightBits && panels!.Storage == CodeStorage.Bytes && Scheme.IsSymmetric
        && Scheme.Granularity != ScaleGranularity.Group;

    private IntegerGains Gains => IntegerGains.Of(panels!.Storage);

    public override InvalidOperationException Refusal(string what) => new(what.StartsWith("saved", StringComparison.Ordinal)
        ? "A quantized model is saved and loaded by QuantizedFiles."
        : $"A quantized model cannot be {what}; use the original.");

    public override Tensor Multiply(Tensor x, Tensor? bias)
    {
        CheckGradient(x);
        if (x.device_type != device)
            throw new InvalidOperationException($"The input is on {x.device}; the model was quantized on {device}.");
        var shape = x.shape;
        if (shape.Length == 0 || shape[^1] != Inputs)
            throw new ArgumentException($"Got {x.ShapeText()}; expected {Inputs} channels on the last axis.", nameof(x));
        var rows = x.numel() / Inputs;
        FlopTally.Add((double)rows * Inputs * Outputs);
        long[] made = [.. shape[..^1], Outputs];
        if (rows == 0) return zeros(made, ScalarType.Float32, x.device);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var matrix = x.to(ScalarType.Float32).reshape(rows, Inputs).contiguous();
        return Product(matrix, bias, InputScale ?? 0).view(made).MoveToOuterDisposeScope();
    }

    /// <summary>Computes x Wᵀ + b by the kernel that is fastest for so many rows, in the current dispose scope.</summary>
    /// <param name="matrix">float32 [rows, in], contiguous; not empty.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="given">Scale of all inputs that become 8 bits; 0 for one of each row.</param>
    /// <returns>float32 [rows, out].</returns>
    protected Tensor Product(Tensor matrix, Tensor? bias, float given)
    {
        var rows = matrix.shape[0];
        return panels is null || !(IsEightBits || Gains.Multiplies(rows))
            ? LinearProduct.Of(Rounded(matrix, given), Dequantize(), bias)
            : MayUseOneDnn && Gains.MultipliesByOneDnn(rows) ? ByOneDnn().Multiply(matrix, bias, given)
            : panels.Multiply(matrix, bias?.to(ScalarType.Float32).contiguous(), new InputPrecision(IsEightBits, given));
    }

    public override RowWeight? ForOneRow() =>
        panels is null || !(IsEightBits || Gains.Multiplies(1)) || (MayUseOneDnn && Gains.MultipliesByOneDnn(1)) ? null
        : new IntegerRowWeight(panels, new InputPrecision(IsEightBits, InputScale ?? 0));

    /// <summary>The rows of the table, for steps; null where they cannot be read off the codes.</summary>
    public StepTable? ForOneToken(Tensor weight) => panels is null ? null : new StepTable(weight, panels);

    /// <summary>The numbers that the codes stand for, float32 [out, in]; the caller disposes it.</summary>
    public Tensor Dequantize()
    {
        using var codes = Codes();
        return codes.Dequantize();
    }

    /// <summary>Rows of the weight: float32 [count, in] for int64 [count].</summary>
    /// <exception cref="ArgumentException">A place is out of range.</exception>
    public Tensor Rows(Tensor places)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (places.numel() > 0 && (places.min().item<long>() < 0 || places.max().item<long>() >= Outputs))
            throw new ArgumentException($"Tokens range from {places.min().item<long>()} to {places.max().item<long>()}; "
                + $"the table has {Outputs} rows, from 0.", nameof(places));
        using var codes = Codes(places);
        return codes.Dequantize().MoveToOuterDisposeScope();
    }

    /// <summary>The codes as they were given, or some rows of them; the caller disposes it.</summary>
    /// <param name="places">int64 [count]; null for all rows.</param>
    public QuantizedTensor Codes(Tensor? places = null)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        if (plain is null) return IntegerCodes.Back(Scheme, panels!.Rows(places ?? arange(Outputs, ScalarType.Int64)));
        return places is null ? plain.Copy() : plain.Rows(places);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            panels?.Dispose();
            oneDnn?.Dispose();
            plain?.Dispose();
        }
        base.Dispose(disposing);
    }

    private OneDnnCodes ByOneDnn()
    {
        lock (gate)
        {
            if (oneDnn is not null) return oneDnn;
            using var codes = Codes();
            return oneDnn = OneDnnCodes.Pack(codes.Codes, codes.Scales.expand(Outputs, 1))!;
        }
    }

    /// <summary>Rounds inputs as the integer products do; only where those are not used.</summary>
    private Tensor Rounded(Tensor x, float given)
    {
        if (!IsEightBits) return x;
        var scale = given != 0 ? tensor(given, device: x.device)
            : (x.abs().amax([-1], keepdim: true) / sbyte.MaxValue).clamp_(min: float.Epsilon);
        return (x / scale).round_().clamp_(-sbyte.MaxValue, sbyte.MaxValue) * scale;
    }
}
