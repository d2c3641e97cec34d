using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// SparseGPT: prunes weights one input after the other, and changes the weights that come later so that they make up for the
/// error on the calibration data.
/// </summary>
/// <remarks>
/// Frantar and Alistarh, 2023, https://arxiv.org/abs/2301.00774; the arithmetic of the reference code, whose mask of a block
/// holds all weights up to the score of rank ⌊share × weights⌋, one more than the share.
/// </remarks>
public sealed record SparseGpt
{
    private static readonly TorchScript Script = new("SparseGpt.py");

    /// <summary>Share of mean second moment that is added to every second moment.</summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>Inputs of a block: the mask is chosen block by block.</summary>
    public int BlockSize { get; init; } = 128;

    /// <summary>Prunes a share of a weight.</summary>
    /// <param name="weight">Floating-point [out, ...]; it is not changed.</param>
    /// <param name="share">0 to below 1.</param>
    /// <param name="inputs">What the layer reads.</param>
    /// <returns>The new weight, float32 of the same shape, with zeros where it is pruned; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The share is out of range, or the inputs do not fit or are too few.</exception>
    public Tensor Prune(Tensor weight, double share, InputMoments inputs)
    {
        Require.Fraction(share);
        return Prune(weight, share, 0, 0, inputs);
    }

    /// <summary>Prunes n of every m consecutive inputs.</summary>
    /// <param name="weight">Floating-point [out, ...]; it is not changed.</param>
    /// <param name="pruned">n.</param>
    /// <param name="group">m, which divides the inputs and the block.</param>
    /// <param name="inputs">What the layer reads.</param>
    /// <returns>The new weight, float32 of the same shape; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The groups do not divide, or the inputs do not fit or are too few.</exception>
    public Tensor Prune(Tensor weight, int pruned, int group, InputMoments inputs)
    {
        Require.That(group >= 2 && BlockSize % group == 0, group, nameof(group),
            $"at least 2 and a divisor of the block, {BlockSize}");
        Require.That(pruned >= 1 && pruned < group, pruned, nameof(pruned), $"1 to {group - 1}");
        var columns = weight.numel() / weight.shape[0];
        Require.That(columns % group == 0, group, nameof(group), $"a divisor of the {columns} inputs");
        return Prune(weight, 0, pruned, group, inputs);
    }

    private Tensor Prune(Tensor weight, double share, int pruned, int group, InputMoments inputs)
    {
        Require.AtLeast(1, BlockSize);
        Require.That(Damping >= 0 && double.IsFinite(Damping), Damping, nameof(Damping), "at least 0");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var hessian = InputMoments.Required(weight, inputs, "SparseGPT");
        var rows = weight.detach().to(ScalarType.Float32, copy: true).reshape(weight.shape[0], -1);
        rows.masked_fill_(HessianFactor.Dead(hessian), 0);
        var factor = HessianFactor.Of(hessian.clone(), Damping);
        var columns = rows.shape[1];
        for (var start = 0L; start < columns; start += BlockSize)
        {
            using var part = NewDisposeScope();
            var width = Math.Min(BlockSize, columns - start);
            var block = factor.narrow(0, start, width);
            var errors = (Tensor)Script.Call("sparsegpt_block", rows.narrow(1, start, width), block.narrow(1, start, width),
                (long)(rows.shape[0] * width * share), (long)pruned, (long)group);
            var end = start + width;
            if (end < columns) rows.narrow(1, end, columns - end).sub_(errors.matmul(block.narrow(1, end, columns - end)));
        }
        return rows.reshape(weight.shape).MoveToOuterDisposeScope();
    }
}
