using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>An int8 weight packed for oneDNN, which multiplies it by inputs of 8 bits.</summary>
/// <remarks>
/// Inputs become uint8 with zero point 128: oneDNN has no fast kernel for int8 ones. On processors without VNNI it adds pairs of
/// products in 16 bits and saturates, so the results are wrong there; <see cref="IntegerTrials"/> finds out. The caller disposes
/// it.
/// </remarks>
internal sealed unsafe class OneDnnCodes : IDisposable
{
    private const int ZeroPoint = 128, Float32 = 6;   // the number of float32 among libtorch's dtypes

    private static readonly delegate* unmanaged<byte*, byte*, nint*, int> Dispatch =
        (delegate* unmanaged<byte*, byte*, nint*, int>)Find("aoti_torch_call_dispatcher");
    private static readonly delegate* unmanaged<nint, nint*, int> NewHandle =
        (delegate* unmanaged<nint, nint*, int>)Find("aoti_torch_new_tensor_handle");
    private static readonly delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint*, double, long, int*, byte*, double**,
        long, byte*, nint*, int> Linear =
        (delegate* unmanaged<nint, nint, nint, nint, nint, nint, nint*, double, long, int*, byte*, double**, long, byte*,
            nint*, int>)Find("aoti_torch_cpu__qlinear_pointwise_tensor");

    private readonly Tensor packed, scales, zeros, one, middle;

    private OneDnnCodes(Tensor packed, Tensor scales)
    {
        this.packed = packed;
        this.scales = scales.flatten().clone().DetachFromDisposeScope();
        zeros = torch.zeros([scales.numel()], ScalarType.Int64).DetachFromDisposeScope();
        one = ones([1]).DetachFromDisposeScope();
        middle = full([1], ZeroPoint, ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>Whether the processor has instructions for such products, and libtorch the functions.</summary>
    public static bool IsWorthTrying => IsThere
        && Processor.InstructionSets.Any(set => set is "AVX512_VNNI" or "AVX_VNNI") && !PortableMode.IsOn;

    /// <summary>Whether this system's libtorch exports the functions, and the workaround is not switched off.</summary>
    public static bool IsThere =>
        Dispatch is not null && NewHandle is not null && Linear is not null && !Workarounds.IsOff(Workarounds.OneDnnProducts);

    /// <summary>Packs a weight; null where libtorch cannot.</summary>
    /// <param name="codes">int8 [out, in].</param>
    /// <param name="scales">float32 [out, 1].</param>
    public static OneDnnCodes? Pack(Tensor codes, Tensor scales)
    {
        nint handle;
        if (!IsThere || NewHandle(codes.Handle, &handle) != 0) return null;
        var stack = stackalloc nint[] { handle, 0 };   // the weight, whose handle is consumed, and no shape of the input
        int error;
        fixed (byte* name = "onednn::qlinear_prepack\0"u8, overload = "\0"u8) error = Dispatch(name, overload, stack);
        GC.KeepAlive(codes);
        return error == 0 ? new OneDnnCodes(Tensor.UnsafeCreateTensor(stack[0]).DetachFromDisposeScope(), scales) : null;
    }

    /// <summary>Memory in bytes.</summary>
    public long Memory => packed.numel() + (scales.numel() * (sizeof(float) + sizeof(long)));

    /// <summary>Computes x Wᵀ + b without recording a gradient.</summary>
    /// <param name="x">float32 [rows, in]; not empty.</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="given">Scale of all inputs; 0 for one of each row.</param>
    /// <returns>float32 [rows, out].</returns>
    public Tensor Multiply(Tensor x, Tensor? bias, float given)
    {
        using var scope = NewDisposeScope();
        var largest = x.abs().amax([-1], keepdim: true);
        // times zero: NaN where a row is not finite
        var steps = given != 0 ? largest.mul_(0).add_(given) : largest.div_(sbyte.MaxValue).clamp_(min: float.Epsilon);
        var rounded = (given != 0 ? x / given : x / steps).round_().clamp_(-sbyte.MaxValue, sbyte.MaxValue).add_(ZeroPoint)
            .to(ScalarType.Byte);
        var product = Product(rounded).mul_(steps);
        return (bias is null ? product : product.add_(bias)).MoveToOuterDisposeScope();
    }

    private Tensor Product(Tensor rounded)
    {
        nint made;
        int error, type = Float32;
        fixed (byte* none = "none\0"u8, algorithm = "\0"u8)
            error = Linear(rounded.Handle, one.Handle, middle.Handle, packed.Handle, scales.Handle, zeros.Handle, null, 1, 0,
                &type, none, null, 0, algorithm, &made);
        GC.KeepAlive(rounded);
        GC.KeepAlive(this);
        return error == 0 ? Tensor.UnsafeCreateTensor(made)
            : throw new InvalidOperationException("oneDNN could not multiply two matrices of 8 bits.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { packed, scales, zeros, one, middle }) tensor.Dispose();
    }

    private static nint Find(string name) =>
        NativeLibrary.TryGetExport(NativeLibrary.Load(NativeLibraries.TorchPath), name, out var function) ? function : 0;
}
