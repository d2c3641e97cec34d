using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// Products of bfloat16 factors for processors without such instructions: of float32 factors with bfloat16's values.
/// </summary>
/// <remarks>
/// Without AVX512_BF16 or AMX, libtorch's bfloat16 products take several times as long as float32's. Here the factors are rounded
/// to bfloat16, multiplied and summed in float32, and the sums rounded to bfloat16, as a processor with such instructions does;
/// their gradients likewise. <see cref="Kernels"/> chooses.
/// </remarks>
internal static class BFloat16Emulation
{
    /// <summary>Whether autocast would make a product of this one in bfloat16, and it should be emulated.</summary>
    public static bool Fits(Tensor x) => IsAutocast(x) && Kernels.Current.EmulatesBFloat16Products;

    /// <summary>Whether autocast would convolve this one in bfloat16, and the convolution should be emulated.</summary>
    public static bool FitsConvolution(Tensor x) => IsAutocast(x) && Kernels.Current.EmulatesBFloat16Convolutions;

    /// <summary>
    /// Whether a recurrent layer should read this one in float32 under bfloat16 autocast: oneDNN has LSTM and GRU in bfloat16
    /// with AVX-512 only.
    /// </summary>
    public static bool FitsRecurrent(Tensor x) =>
        IsAutocast(x) && (!Avx512BW.IsSupported || Kernels.Current.EmulatesBFloat16Products);

    private static bool IsAutocast(Tensor x) =>
        x.device_type == DeviceType.CPU && x.dtype is ScalarType.Float32 or ScalarType.BFloat16
        && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16;

    /// <summary>What a product makes of the rounded factors, rounded.</summary>
    /// <param name="x">float32 or bfloat16, as the others.</param>
    /// <param name="weight">The other factor.</param>
    /// <param name="bias">What is added, or null.</param>
    /// <param name="product">Multiplies float32 tensors, outside of autocast.</param>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias, Func<Tensor, Tensor, Tensor?, Tensor> product)
    {
        using var scope = NewDisposeScope();
        using var pause = Autocast.Pause(DeviceType.CPU);
        return product(Rounded(x), Rounded(weight), bias is null ? null : Rounded(bias)).to(bfloat16).MoveToOuterDisposeScope();
    }

    private static Tensor Rounded(Tensor factor) => factor.to(bfloat16).to(float32);
}
