using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>The order in which GPTQ rounds the inputs of a layer.</summary>
public enum GptqOrder
{
    /// <summary>As they are stored.</summary>
    Stored,

    /// <summary>Inputs of large second moment first ("act order"), whichever group they belong to.</summary>
    LargestFirst,

    /// <summary>Groups of large second moment first, and in each group its largest inputs; groups stay contiguous.</summary>
    GroupsFirst,
}

/// <summary>
/// GPTQ: rounds one input after the other, and changes the weights that are not rounded yet so that they make up for the error
/// on the calibration data.
/// </summary>
/// <remarks>
/// Frantar et al., 2022, https://arxiv.org/abs/2210.17323; the arithmetic of the reference code. Where the inputs' second moment
/// is a multiple of the identity, the result is that of rounding to nearest.
/// </remarks>
public sealed record Gptq : Rounding
{
    private static readonly TorchScript Script = new("Gptq.py");

    /// <summary>Share of the mean second moment that is added to every second moment.</summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>Inputs that are rounded before the weights of later blocks are changed.</summary>
    public int BlockSize { get; init; } = 128;

    /// <summary>The order of the inputs.</summary>
    public GptqOrder Order { get; init; }

    /// <summary>
    /// Whether the scales of all groups come from the original weights. Otherwise those of a group come from the weights as they
    /// are when the block that the group begins in is reached. Needed for <see cref="GptqOrder.LargestFirst"/> with groups.
    /// </summary>
    public bool StaticGroups { get; init; }

    /// <summary>Searches the range of each group; null for a grid that covers all weights.</summary>
    public ClipSearch? Clip { get; init; }

    /// <inheritdoc/>
    public override bool NeedsInputs => true;

    /// <inheritdoc/>
    public override QuantizedTensor Quantize(Tensor weight, QuantizationScheme scheme, InputMoments? inputs = null)
    {
        Check(scheme);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var hessian = InputMoments.Required(weight, inputs, "GPTQ");
        var original = QuantizedTensor.Groups(weight, scheme);
        var rows = original.flatten(1).clone();
        rows.masked_fill_(HessianFactor.Dead(hessian), 0);
        var order = OrderOf(hessian, scheme);
        using var ordered = hessian.index_select(0, order);
        var owned = ordered.index_select(1, order);
        ordered.Dispose();
        var factor = HessianFactor.Of(owned, Damping);
        var grid = new ColumnGrids(this, scheme, rows.view(original.shape));
        var codes = Walk(rows.index_select(1, order), factor, grid, [.. order.data<long>()]);
        return Collect(weight, scheme, codes.index_select(1, order.argsort()), grid);
    }

    /// <inheritdoc/>
    internal override void Check(QuantizationScheme scheme)
    {
        scheme.Check();
        Require.That(Damping >= 0 && double.IsFinite(Damping), Damping, nameof(Damping), "at least 0");
        Require.AtLeast(1, BlockSize);
        if (scheme.CodeBook is { } book)
            throw new ArgumentException($"GPTQ rounds to evenly spaced codes; {book.Name} is a code book.", nameof(scheme));
        if (Order == GptqOrder.LargestFirst && scheme.Granularity == ScaleGranularity.Group && !StaticGroups)
            throw new ArgumentException(
                $"Inputs in the order of their size leave their groups; set {nameof(StaticGroups)}, or use {nameof(GptqOrder.GroupsFirst)}.");
    }

    private Tensor OrderOf(Tensor hessian, QuantizationScheme scheme)
    {
        var size = hessian.diagonal();
        if (Order == GptqOrder.Stored) return arange(size.shape[0], device: hessian.device);
        if (Order == GptqOrder.LargestFirst) return size.argsort(-1, descending: true);
        var groups = size.view(scheme.GroupsOf(size.shape[0]), -1);
        var inside = groups.argsort(-1, descending: true)
            + (arange(groups.shape[0], device: hessian.device) * groups.shape[1]).unsqueeze(1);
        return inside[groups.mean([-1L]).argsort(-1, descending: true)].flatten();
    }

    /// <summary>Rounds all columns of weights that are in the order of rounding.</summary>
    /// <returns>Codes, float32 [rows, columns], in that order.</returns>
    private Tensor Walk(Tensor rows, Tensor factor, ColumnGrids grids, long[] order)
    {
        var columns = rows.shape[1];
        var codes = empty_like(rows);
        for (var start = 0L; start < columns; start += BlockSize)
        {
            using var scope = NewDisposeScope();
            var end = Math.Min(start + BlockSize, columns);
            var (scales, zeros) = grids.Of(rows, order, (int)start, (int)end);
            var block = factor.narrow(0, start, end - start);
            var made = (Tensor[])Script.Call("gptq_block", rows.narrow(1, start, end - start).clone(),
                block.narrow(1, start, end - start), scales, zeros, (long)grids.Scheme.LowestCode,
                    (long)grids.Scheme.HighestCode);
            codes.narrow(1, start, end - start).copy_(made[0]);
            if (end < columns) rows.narrow(1, end, columns - end).sub_(made[1].matmul(block.narrow(1, end, columns - end)));
        }
        return codes;
    }

    private static QuantizedTensor Collect(Tensor weight, QuantizationScheme scheme, Tensor codes, ColumnGrids grid)
    {
        var (scales, zeros) = grid.All();
        return new QuantizedTensor(scheme, weight.shape, codes.to(scheme.CodeType).contiguous(), scales,
            scheme.IsSymmetric ? null : zeros.to(ScalarType.Byte));
    }
}
