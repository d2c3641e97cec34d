using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>The scale and zero point of every column while GPTQ walks over the columns.</summary>
internal sealed class ColumnGrids
{
    private readonly Gptq method;
    private readonly long groupSize;       // columns of a group
    private readonly Tensor scales, zeros; // float32 [rows, groups]
    private readonly bool[] isKnown;       // by group

    /// <param name="method">Settings.</param>
    /// <param name="scheme">The grid.</param>
    /// <param name="original">float32 [rows, groups, columns of a group], in the stored order.</param>
    public ColumnGrids(Gptq method, QuantizationScheme scheme, Tensor original)
    {
        this.method = method;
        Scheme = scheme;
        groupSize = original.shape[2];
        isKnown = new bool[original.shape[1]];
        var isGrouped = scheme.Granularity == ScaleGranularity.Group;
        var first = Grid(original);
        scales = first.Scales.expand(original.shape[0], original.shape[1], 1).squeeze(-1).clone();
        zeros = first.ZeroPoints?.expand_as(first.Scales).squeeze(-1).clone() ?? zeros_like(scales);
        if (!isGrouped || method.StaticGroups) Array.Fill(isKnown, true);
    }

    public QuantizationScheme Scheme { get; }

    /// <summary>Scales and zero points of columns of a block.</summary>
    /// <param name="rows">float32 [rows, columns], in the order of rounding, as they are when the block begins.</param>
    /// <param name="order">The stored column of each column.</param>
    /// <param name="start">First column of the block.</param>
    /// <param name="end">After its last column.</param>
    /// <returns>Two tensors float32 [rows, columns of the block].</returns>
    public (Tensor Scales, Tensor Zeros) Of(Tensor rows, long[] order, int start, int end)
    {
        for (var column = start; column < end; column++)
        {
            var group = (int)(order[column] / groupSize);
            if (isKnown[group]) continue;
            // contiguous in the order of rounding: only LargestFirst is not, and it needs static groups
            var grid = Grid(rows.narrow(1, column, groupSize).unsqueeze(1));
            scales.select(1, group).copy_(grid.Scales.flatten());
            if (grid.ZeroPoints is { } found) zeros.select(1, group).copy_(found.flatten());
            isKnown[group] = true;
        }
        var groups = tensor(order[start..end].Select(column => column / groupSize).ToArray(), device: rows.device);
        return (scales.index_select(1, groups), zeros.index_select(1, groups));
    }

    /// <summary>Scales and zero points by group, float32 [rows, groups]; [1, 1] where the scheme has one scale.</summary>
    public (Tensor Scales, Tensor Zeros) All() => Scheme.Granularity == ScaleGranularity.Tensor
        ? (scales.narrow(0, 0, 1).clone(), zeros.narrow(0, 0, 1).clone()) : (scales.clone(), zeros.clone());

    private QuantizationGrid Grid(Tensor groups) =>
        method.Clip?.Search(Scheme, groups) ?? QuantizationGrid.Covering(Scheme, groups);
}
