using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Precision of computation in training; weights, their gradients, losses and norms are float32 in all modes.
/// </summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Full,

    /// <summary>Matrix products and attention in bfloat16: the range of float32 with 8 bits of precision.</summary>
    BFloat16,

    /// <summary>
    /// Matrix products and attention in float16, with loss scaling so that small gradients do not vanish; for CUDA.
    /// </summary>
    Float16,
}

/// <summary>Helpers that apply a precision to a training step.</summary>
internal static class PrecisionSteps
{
    /// <summary>Starts autocast on the device; returns null for float32.</summary>
    public static Autocast? Begin(this Precision precision, Device device) =>
        precision == Precision.Full ? null : new Autocast(device.type, precision.Type());

    /// <summary>Returns the dtype of the factors of matrix products.</summary>
    public static ScalarType Type(this Precision precision) => precision switch
    {
        Precision.BFloat16 => ScalarType.BFloat16,
        Precision.Float16 => ScalarType.Float16,
        _ => ScalarType.Float32,
    };

    /// <summary>Converts a 16-bit floating-point tensor to float32; returns others unchanged.</summary>
    public static Tensor Full(this Tensor value) =>
        value.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? value.to(ScalarType.Float32) : value;
}
