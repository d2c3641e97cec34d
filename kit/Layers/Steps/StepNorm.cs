using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A layer norm, or an RMS norm, for steps of one row.</summary>
/// <param name="weight">float32 [channels].</param>
/// <param name="bias">float32 [channels]; null for an RMS norm.</param>
/// <param name="epsilon">Added to the variance, or to the mean square.</param>
internal sealed unsafe class StepNorm(Tensor weight, Tensor? bias, double epsilon)
{
    private readonly int width = (int)weight.shape[0];
    private float* weights;
    private float* biases;

    /// <summary>Whether a step can read it.</summary>
    public bool IsReadable => IsPlain(weight) && (bias is null || IsPlain(bias));

    /// <summary>Whether a tensor is contiguous float32 on the CPU.</summary>
    public static bool IsPlain(Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && tensor.is_contiguous();

    /// <summary>Reads the addresses anew; on the thread that starts the step.</summary>
    public void Locate()
    {
        weights = (float*)NativeTensors.Data(weight);
        biases = bias is null ? null : (float*)NativeTensors.Data(bias);
    }

    /// <summary>Normalises one row.</summary>
    /// <param name="x">[channels].</param>
    /// <param name="y">[channels].</param>
    public void Of(float* x, float* y)
    {
        if (biases is null) RowMath.RmsNorm(x, weights, (float)epsilon, y, width);
        else RowMath.LayerNorm(x, weights, biases, (float)epsilon, y, width);
    }
}
