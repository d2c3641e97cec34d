using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>One way to multiply by a weight that was laid out for it.</summary>
/// <param name="Name">In words.</param>
/// <param name="IsBlocked">Whether the weight is in oneDNN's blocked format, rather than [out, in] row by row.</param>
/// <param name="Multiply">From x [..., in], the weight and a bias, [out] or null, to [..., out].</param>
internal sealed record LinearKernel(string Name, bool IsBlocked, Func<Tensor, Tensor, Tensor?, Tensor> Multiply)
{
    /// <summary>libtorch's own, MKL's on x64; on any device.</summary>
    public static LinearKernel Libtorch { get; } = new("libtorch", false, (x, weight, bias) => nn.functional.linear(x, weight, bias));

    /// <summary>oneDNN's, by a weight that it has laid out.</summary>
    public static LinearKernel OneDnn { get; } = new("oneDNN, packed", true, OneDnnLinear.Packed);
}
