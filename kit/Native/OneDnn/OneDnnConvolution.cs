using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>
/// oneDNN's two-dimensional convolution, fused with a bias, the addition of another tensor and a ReLU.
/// </summary>
/// <remarks>
/// Tensors are channels-last in memory, and the weight is packed once in oneDNN's blocked format. Called
/// through the C interface that compiled PyTorch models use. Gradients are not recorded.
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

    /// <summary>
    /// Whether this system's libtorch exports the functions, and the workaround is not switched off.
    /// </summary>
    public static bool IsThere => !Workarounds.IsOff(Workarounds.FusedConvolution) && Pointwise is not null && Added is not null
        && AddedInPlace is not null;

    /// <summary>Whether this process has called it.</summary>
    public static bool WasUsed { get; private set; }

    /// <summary>
    /// Whether packed models use it. They do not where the self-check finds oneDNN's convolutions wrong.
    /// </summary>
    public static bool IsUsed => IsThere && !Kernels.Current.ConvolvesByColumns;

    /// <summary>Computes relu(convolution(x) + bias + added); null and false arguments are skipped.</summary>
    /// <param name="x">[batch, channels in, height, width], of any strides and of the weight's dtype.</param>
    /// <param name="weight">[channels out, channels in / groups, kernel height, kernel width] in oneDNN's blocked format.</param>
    /// <param name="bias">[channels out], or null.</param>
    /// <param name="geometry">Stride, padding, dilation and groups.</param>
    /// <param name="added">Tensor to add, of the result's shape and dtype; null for none.</param>
    /// <param name="overwrites">Whether the result may overwrite <paramref name="added"/>, which saves a
    /// copy.</param>
    /// <param name="relu">Whether to apply a ReLU.</param>
    /// <returns>[batch, channels out, height, width], channels-last in memory.</returns>
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
        return error == 0 ? Tensor.UnsafeCreateTensor(result)
        : throw new InvalidOperationException("oneDNN could not compute the convolution.");
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

/// <summary>Stride, padding, dilation and groups of a convolution.</summary>
/// <param name="Stride">Stride, vertical and horizontal.</param>
/// <param name="Padding">Zero padding on each side, vertical and horizontal.</param>
/// <param name="Dilation">Distance between the elements of the kernel, vertical and horizontal.</param>
/// <param name="Groups">Number of channel groups that are convolved separately.</param>
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
