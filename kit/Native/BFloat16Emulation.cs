using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Products of bfloat16 factors for processors that have none: of float32 factors with bfloat16's values.</summary>
/// <remarks>
/// On x64 libtorch multiplies bfloat16 with AVX-512; with less, number by number, in ten to thirty times the time of float32. Here the
/// factors are rounded to bfloat16, multiplied and summed in float32, and the sums rounded to bfloat16, which is what a processor that has
/// such products does; their gradients likewise.
/// </remarks>
internal static class BFloat16Emulation
{
    /// <summary>Whether autocast's products on the CPU are made so; at first where libtorch's are slow.</summary>
    public static bool AreUsed { get; set; } = X86Base.IsSupported && !(Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported);

    /// <summary>Whether autocast would make a product of this one in bfloat16, and this should be done here.</summary>
    public static bool Fit(Tensor x) => AreUsed && x.device_type == DeviceType.CPU && x.dtype is ScalarType.Float32 or ScalarType.BFloat16
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
