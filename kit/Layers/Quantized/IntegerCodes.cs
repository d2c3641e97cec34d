using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Codes of a scheme as the whole numbers that the kit's integer products take, and back.</summary>
internal static class IntegerCodes
{
    private const int ByteShift = 128;   // of codes from 0 to 255

    /// <summary>What the products must be able to do for a weight of a scheme.</summary>
    public static CodeStorage Of(QuantizationScheme scheme, Tensor? zeroPoints) =>
        scheme.CodeBook is not null ? scheme.Bits <= 4 ? CodeStorage.Table : CodeStorage.None
        : zeroPoints is not null && zeroPoints.is_floating_point() ? CodeStorage.None
        : scheme.Bits <= 4 ? CodeStorage.Nibbles : CodeStorage.Bytes;

    /// <summary>The weight's numbers, in the current dispose scope.</summary>
    public static WeightCodes Of(QuantizedTensor weight)
    {
        var scheme = weight.Scheme;
        var scales = weight.Scales.expand(weight.Codes.shape[0], -1);
        var storage = Of(scheme, weight.ZeroPoints);
        if (storage == CodeStorage.Table)
            return new WeightCodes(storage, weight.Codes, scales, Table: scheme.CodeBook!.Values);
        var zeros = weight.ZeroPoints?.expand(weight.Codes.shape[0], -1);
        if (storage == CodeStorage.Nibbles)
            return new WeightCodes(storage,
                (scheme.LowestCode == 0 ? weight.Codes : weight.Codes - scheme.LowestCode).to(ScalarType.Byte), scales,
                zeros?.to(ScalarType.Int8), -scheme.LowestCode);
        return zeros is null ? new WeightCodes(storage, weight.Codes, scales)
            : new WeightCodes(storage, Shifted(weight.Codes), scales, Shifted(zeros));
    }

    /// <summary>The weight that such numbers came from.</summary>
    public static QuantizedTensor Back(QuantizationScheme scheme, WeightCodes numbers)
    {
        var isShifted = numbers.Storage == CodeStorage.Bytes && numbers.Zeros is not null;
        var codes = numbers.Storage == CodeStorage.Nibbles
            ? (numbers.Codes.to(ScalarType.Int16) + scheme.LowestCode).to(scheme.CodeType)
            : isShifted ? Unshifted(numbers.Codes) : numbers.Codes;
        var zeros = numbers.Zeros is null ? null : isShifted ? Unshifted(numbers.Zeros) : numbers.Zeros.to(ScalarType.Byte);
        var isWhole = scheme.Granularity == ScaleGranularity.Tensor;
        Tensor One(Tensor all) => isWhole ? all.narrow(0, 0, 1).clone() : all;
        return new QuantizedTensor(scheme, codes.shape, codes, One(numbers.Scales), zeros is null ? null : One(zeros));
    }

    private static Tensor Shifted(Tensor codes) => (codes.to(ScalarType.Int16) - ByteShift).to(ScalarType.Int8);

    private static Tensor Unshifted(Tensor codes) => (codes.to(ScalarType.Int16) + ByteShift).to(ScalarType.Byte);
}
