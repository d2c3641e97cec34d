using System.Runtime.InteropServices;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Formatting;

/// <summary>
/// The facts in the first line about a tensor. Making one never throws: what cannot be measured is explained in
/// a note.
/// </summary>
/// <param name="Type">Name of the dtype, such as <c>float32</c>.</param>
/// <param name="Sizes">Shape of the tensor.</param>
/// <param name="Device">Device of the tensor.</param>
/// <param name="Bytes">Memory size of the elements.</param>
/// <param name="RequiresGrad">Whether the tensor requires gradients.</param>
/// <param name="Statistics">Statistics of the values; null if they could not be computed.</param>
/// <param name="Note">A further remark; null if there is none.</param>
internal sealed record TensorSummary(
    string Type, IReadOnlyList<long> Sizes, string Device, long Bytes, bool RequiresGrad,
        TensorStatistics? Statistics, string? Note)
{
    public static TensorSummary Of(Tensor tensor)
    {
        if (tensor.IsInvalid) return new TensorSummary("tensor", [], "", 0, false, null, "disposed: its values are gone");
        var count = tensor.numel();
        var (statistics, note) = Measured(tensor, count);
        return new TensorSummary(
            NameOf(tensor.dtype), tensor.shape, tensor.device.ToString(), count * tensor.element_size(),
                tensor.requires_grad, statistics, note);
    }

    /// <summary>The shape in brackets, or "scalar".</summary>
    public string Shape => Sizes.Count == 0 ? "scalar" : Numbers.Shape(Sizes);

    /// <summary>Whether the dtype is complex, so that statistics are of magnitudes.</summary>
    public bool IsComplex => Type.StartsWith("complex", StringComparison.Ordinal);

    /// <summary>Returns short remarks on the tensor, and whether each is a warning.</summary>
    public IEnumerable<(string Text, bool Bad)> Flags()
    {
        if (Note is not null) yield return (Note, false);
        if (Statistics is { NaN: > 0 and var nan }) yield return ($"{Numbers.Count(nan)} NaN", true);
        if (Statistics is { PositiveInfinity: > 0 and var positive }) yield return ($"{Numbers.Count(positive)} +Inf", true);
        if (Statistics is { NegativeInfinity: > 0 and var negative }) yield return ($"{Numbers.Count(negative)} −Inf", true);
        if (Statistics is { Count: > 0 } all && all.Zeros == all.Count) yield return ("all zero", true);
        if (RequiresGrad) yield return ("requires grad", false);
    }

    /// <summary>Returns PyTorch's name of a dtype.</summary>
    public static string NameOf(ScalarType type) => type switch
    {
        ScalarType.Byte => "uint8",
        ScalarType.ComplexFloat32 => "complex64",
        ScalarType.ComplexFloat64 => "complex128",
        _ when Enum.IsDefined(type) => type.ToString().ToLowerInvariant(),
        _ => $"dtype {(int)type}",
    };

    private static (TensorStatistics? Statistics, string? Note) Measured(Tensor tensor, long count)
    {
        if (tensor.is_meta) return (null, "meta: a shape without values");
        if (count == 0) return (null, "empty");
        var sparse = tensor.is_sparse ? "sparse" : null;
        try
        {
            return (TensorStatistics.Of(tensor), sparse);
        }
        catch (Exception error) when (
            error is ExternalException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            return (null, sparse is null ? "values cannot be read" : "sparse, too large to be measured");
        }
    }
}
