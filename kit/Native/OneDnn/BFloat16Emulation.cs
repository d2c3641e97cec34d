using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// Emulates bfloat16 products on processors without bfloat16 instructions: multiplies in float32 the factors
/// rounded to bfloat16.
/// </summary>
/// <remarks>
/// Without AVX512_BF16 or AMX, libtorch's bfloat16 products are several times slower than float32 products.
/// Here the factors are rounded to bfloat16, multiplied and summed in float32, and the sums rounded to
/// bfloat16, as on a processor with such instructions. The gradients are computed in the same way.
/// <see cref="Kernels"/> decides whether the emulation is used.
/// </remarks>
internal static class BFloat16Emulation
{
    /// <summary>
    /// Whether autocast would compute a product of this tensor in bfloat16, and the product should be emulated.
    /// </summary>
    public static bool Fits(Tensor x) => IsAutocast(x) && Kernels.Current.EmulatesBFloat16Products;

    /// <summary>
    /// Whether autocast would convolve this tensor in bfloat16, and the convolution should be emulated.
    /// </summary>
    public static bool FitsConvolution(Tensor x) => IsAutocast(x) && Kernels.Current.EmulatesBFloat16Convolutions;

    /// <summary>
    /// Whether a recurrent layer should read this tensor in float32 under bfloat16 autocast: oneDNN has bfloat16
    /// LSTM and GRU only with AVX-512.
    /// </summary>
    public static bool FitsRecurrent(Tensor x) =>
        IsAutocast(x) && (!Avx512BW.IsSupported || Kernels.Current.EmulatesBFloat16Products);

    /// <summary>Whether a product of tensors of this type, on this device, should be emulated.</summary>
    public static bool FitsProduct(DeviceType device, ScalarType type) =>
        device == DeviceType.CPU && type == ScalarType.BFloat16 && Kernels.Current.EmulatesBFloat16Products;

    private static bool IsAutocast(Tensor x) =>
        x.device_type == DeviceType.CPU && x.dtype is ScalarType.Float32 or ScalarType.BFloat16
        && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16;

    /// <summary>Computes a product of factors rounded to bfloat16, and rounds the result to bfloat16.</summary>
    /// <param name="x">First factor; float32 or bfloat16, as the other tensors.</param>
    /// <param name="weight">Second factor.</param>
    /// <param name="bias">Tensor to add; null for none.</param>
    /// <param name="product">Computes the product of float32 tensors; autocast is paused.</param>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias, Func<Tensor, Tensor, Tensor?, Tensor> product)
    {
        using var scope = NewDisposeScope();
        using var pause = Autocast.Pause(DeviceType.CPU);
        return product(Rounded(x), Rounded(weight), bias is null ? null : Rounded(bias)).to(bfloat16).MoveToOuterDisposeScope();
    }

    private static Tensor Rounded(Tensor factor) => factor.to(bfloat16).to(float32);
}
