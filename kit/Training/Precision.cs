using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// In which type a model computes while it trains; weights, their gradients, losses and norms are float32 in all of them.
/// </summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Full,

    /// <summary>Matrix products and attention in bfloat16: the range of float32 with 8 bits of precision.</summary>
    BFloat16,

    /// <summary>
    /// Matrix products and attention in float16, with the loss scaled so that small gradients do not vanish; for CUDA.
    /// </summary>
    Float16,
}

/// <summary>What a precision means for a step.</summary>
internal static class PrecisionSteps
{
    /// <summary>Begins mixed precision on the device; null for float32.</summary>
    public static Autocast? Begin(this Precision precision, Device device) =>
        precision == Precision.Full ? null : new Autocast(device.type, precision.Type());

    /// <summary>The type of the factors of matrix products.</summary>
    public static ScalarType Type(this Precision precision) => precision switch
    {
        Precision.BFloat16 => ScalarType.BFloat16,
        Precision.Float16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>A 16-bit tensor as float32; any other as it is.</summary>
    public static Tensor Full(this Tensor value) =>
        value.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? value.to(ScalarType.Float32) : value;
}
