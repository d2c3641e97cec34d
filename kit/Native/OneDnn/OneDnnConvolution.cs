using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// oneDNN's two-dimensional convolution, with a bias, the addition of another tensor and ReLU in the same kernel.
/// </summary>
/// <remarks>
/// Tensors have their channels last in memory, and the weight is laid out once in oneDNN's blocked format. Reached through the C
/// interface that compiled PyTorch models use. Nothing is recorded for a gradient.
/// </remarks>
internal static unsafe class OneDnnConvolution
{
    private static readonly nint Library = NativeLibrary.Load(NativeLibraries.TorchPath);

    private static readonly delegate* unmanaged<nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double**,
        long, byte**, nint*, int> Pointwise =
        (delegate* unmanaged<nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double**, long, byte**, nint*,
            int>)Find("aoti_torch_cpu_mkldnn__convolution_pointwise");

    private static readonly delegate* unmanaged<nint, nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*,
        double*, byte**, double**, long, byte**, nint*, int> Added =
        (delegate* unmanaged<nint, nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double*, byte**,
            double**, long, byte**, nint*, int>)Find("aoti_torch_cpu_mkldnn__convolution_pointwise_binary");

    private static readonly delegate* unmanaged<nint, nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*,
        double*, byte**, double**, long, byte**, nint*, int> AddedInPlace =
        (delegate* unmanaged<nint, nint, nint, nint*, long*, long, long*, long, long*, long, long, byte*, double*, byte**,
            double**, long, byte**, nint*, int>)Find("aoti_torch_cpu_mkldnn__convolution_pointwise_binary_");

    /// <summary>Whether this system's libtorch has it.</summary>
    public static bool IsThere => !Workarounds.IsOff(Workarounds.FusedConvolution) && Pointwise is not null && Added is not null
        && AddedInPlace is not null;

    /// <summary>Whether this process has used it.</summary>
    public static bool WasUsed { get; private set; }

    /// <summary>Whether packed models use it; not where the self-check finds oneDNN's convolutions wrong.</summary>
    public static bool IsUsed => IsThere && !Kernels.Current.ConvolvesByColumns;

    /// <summary>relu(convolution(x) + bias + added); null and false arguments are skipped.</summary>
    /// <param name="x">[batch, channels in, height, width], in any layout; of the weight's dtype.</param>
    /// <param name="weight">[channels out, channels in / groups, kernel height, kernel width] in oneDNN's blocked format.</param>
    /// <param name="bias">[channels out], or null.</param>
    /// <param name="geometry">Of the convolution.</param>
    /// <param name="added">Of the result's shape and dtype, or null.</param>
    /// <param name="overwrites">
    /// Whether the result may take the place of <paramref name="added"/> in memory, which saves a copy of it.
    /// </param>
    /// <param name="relu">Whether negative numbers become 0.</param>
    /// <returns>[batch, channels out, height, width], the channels last in memory.</returns>
    public static Tensor Convolve(Tensor x, Tensor weight, Tensor? bias, ConvolutionGeometry geometry, Tensor? added,
        bool overwrites, bool relu)
    {
        nint biasHandle = bias?.Handle ?? 0, result;
        var biasPointer = bias is null ? null : &biasHandle;
        int error;
        fixed (long* padding = geometry.Padding, stride = geometry.Stride, dilation = geometry.Dilation)
        fixed (byte* none = "none\0"u8, reluName = "relu\0"u8, add = "add\0"u8)
        {
            var then = reluName;
            error = added is null
                ? Pointwise(x.Handle, weight.Handle, biasPointer, padding, 2, stride, 2, dilation, 2, geometry.Groups,
                    relu ? reluName : none, null, 0, null, &result)
                : overwrites && HasChannelsLast(added)
                ? AddedInPlace(added.Handle, x.Handle, weight.Handle, biasPointer, padding, 2, stride, 2, dilation, 2,
                    geometry.Groups, add, null, relu ? &then : null, null, 0, null, &result)
                : Added(x.Handle, added.Handle, weight.Handle, biasPointer, padding, 2, stride, 2, dilation, 2, geometry.Groups,
                    add, null, relu ? &then : null, null, 0, null, &result);
        }
        WasUsed = true;
        GC.KeepAlive(x);
        GC.KeepAlive(weight);
        GC.KeepAlive(bias);
        GC.KeepAlive(added);
        return error == 0 ? Tensor.UnsafeCreateTensor(result) : throw new InvalidOperationException("oneDNN could not convolve.");
    }

    private static bool HasChannelsLast(Tensor map)
    {
        var shape = map.shape;
        var stride = map.stride();
        return shape[1] > 1 && stride[1] == 1 && stride[3] == shape[1] && stride[2] == shape[1] * shape[3]
            && stride[0] == shape[1] * shape[3] * shape[2];
    }

    private static nint Find(string name) => NativeLibrary.TryGetExport(Library, name, out var function) ? function : 0;
}

/// <summary>How the window of a convolution moves.</summary>
/// <param name="Stride">Steps between windows, down and across.</param>
/// <param name="Padding">Zeros on each side, down and across.</param>
/// <param name="Dilation">Steps between the points of a window, down and across.</param>
/// <param name="Groups">Groups of channels that are convolved separately.</param>
internal sealed record ConvolutionGeometry(long[] Stride, long[] Padding, long[] Dilation, int Groups)
{
    /// <summary>Height and width of the result.</summary>
    /// <param name="x">Shape of the input, [batch, channels in, height, width].</param>
    /// <param name="weight">Shape of the weight, [channels out, channels in / groups, kernel height, kernel width].</param>
    public (long Height, long Width) ResultSize(long[] x, long[] weight)
    {
        long Length(int axis) =>
            ((x[axis + 2] + (2 * Padding[axis]) - (Dilation[axis] * (weight[axis + 2] - 1)) - 1) / Stride[axis]) + 1;
        return (Length(0), Length(1));
    }
}
