using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Which weights of a tensor are pruned: those with the smallest scores, by rank, ties by their place.</summary>
/// <remarks>
/// A mask is a bool tensor of the shape of the weight, true where the weight is pruned. The caller disposes it. A score is a
/// floating-point tensor of the shape of the weight: the larger, the more the weight matters.
/// </remarks>
public static class PruningMask
{
    /// <summary>Prunes the smallest scores of the whole tensor.</summary>
    /// <param name="scores">Of any shape.</param>
    /// <param name="count">How many weights are pruned.</param>
    /// <exception cref="ArgumentException">The count is negative or above the number of weights, or a score is NaN.</exception>
    public static Tensor Smallest(Tensor scores, long count)
    {
        CheckScores(scores);
        Require.That(count >= 0 && count <= scores.numel(), count, nameof(count),
            $"0 to {scores.numel()}, the number of weights");
        using var scope = NewDisposeScope();
        var mask = zeros([scores.numel()], ScalarType.Bool, scores.device);
        mask.index_fill_(0, scores.detach().flatten().sort(stable: true).Indices.narrow(0, 0, count), true);
        return mask.view(scores.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Prunes a share of the whole tensor: round(share × weights), the smallest scores.</summary>
    /// <param name="scores">Of any shape.</param>
    /// <param name="share">0 to 1.</param>
    /// <exception cref="ArgumentException">The share is out of range, or a score is NaN.</exception>
    public static Tensor Share(Tensor scores, double share) =>
        Smallest(scores, (long)Math.Round(Checked(share) * scores.numel(), MidpointRounding.ToEven));

    /// <summary>Prunes the same share of every row: the whole part of share × columns, the smallest scores.</summary>
    /// <param name="scores">[rows, ...].</param>
    /// <param name="share">0 to 1.</param>
    /// <exception cref="ArgumentException">The share is out of range, or a score is NaN.</exception>
    public static Tensor ShareOfRows(Tensor scores, double share)
    {
        CheckScores(scores);
        using var scope = NewDisposeScope();
        var rows = scores.detach().reshape(scores.shape[0], -1);
        return SmallestOfGroups(rows, (long)(Checked(share) * rows.shape[1])).view(scores.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Prunes n of every m consecutive weights of a row ("2:4" prunes 2 of 4), the smallest scores.</summary>
    /// <param name="scores">[rows, ...]; m divides the weights of a row.</param>
    /// <param name="pruned">n, the weights of a group that are pruned.</param>
    /// <param name="group">m, the consecutive weights of a group.</param>
    /// <exception cref="ArgumentException">The groups do not divide a row, n is not below m, or a score is NaN.</exception>
    public static Tensor OfGroups(Tensor scores, int pruned, int group)
    {
        CheckScores(scores);
        Require.AtLeast(2, group);
        Require.That(pruned >= 0 && pruned < group, pruned, nameof(pruned), $"0 to {group - 1}");
        var columns = scores.numel() / scores.shape[0];
        if (columns % group != 0)
            throw new ArgumentException($"A row of {columns} weights cannot be pruned in groups of {group}; the group must "
                + "divide it.");
        using var scope = NewDisposeScope();
        return SmallestOfGroups(scores.detach().reshape(-1, group), pruned).view(scores.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Prunes a share of the blocks of a matrix, those with the smallest sums of scores.</summary>
    /// <param name="scores">[rows, columns]; the block divides both.</param>
    /// <param name="share">0 to 1.</param>
    /// <param name="block">Rows and columns of a block.</param>
    /// <exception cref="ArgumentException">The blocks do not divide the matrix, the share is out of range, or a score is
    /// NaN.</exception>
    public static Tensor Blocks(Tensor scores, double share, int block = 16)
    {
        CheckScores(scores);
        Require.AtLeast(1, block);
        var (rows, columns) = scores.Axes2("scores [rows, columns]");
        if (rows % block != 0 || columns % block != 0)
            throw new ArgumentException($"A matrix of {rows} × {columns} cannot be pruned in blocks of {block} × {block}; "
                + "the block must divide both.");
        using var scope = NewDisposeScope();
        var sums = scores.detach().view(rows / block, block, columns / block, block).sum(dim: 3).sum(dim: 1);
        return Share(sums, share).repeat_interleave(block, 0).repeat_interleave(block, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Prunes a share of several tensors together: round(share × all weights), the smallest scores of all.</summary>
    /// <param name="scores">Scores by name; they must be comparable.</param>
    /// <param name="share">0 to 1.</param>
    /// <returns>Masks by the same names.</returns>
    /// <exception cref="ArgumentException">The share is out of range, there is no tensor, or a score is NaN.</exception>
    public static IReadOnlyDictionary<string, Tensor> Global(IReadOnlyDictionary<string, Tensor> scores, double share)
    {
        Require.That(scores.Count > 0, scores.Count, "the number of tensors", "at least 1");
        using var scope = NewDisposeScope();
        var mask = Share(cat([.. scores.Values.Select(one => one.detach().flatten().to(ScalarType.Float32))]), share);
        var parts = mask.split([.. scores.Values.Select(one => one.numel())]);
        return scores.Zip(parts, (one, part) => (one.Key, Mask: part.reshape(one.Value.shape).clone().MoveToOuterDisposeScope()))
            .ToDictionary(pair => pair.Key, pair => pair.Mask);
    }

    /// <summary>Sets the pruned weights to zero.</summary>
    /// <param name="weight">Changed in place.</param>
    /// <param name="mask">bool of its shape, true where it is pruned.</param>
    /// <exception cref="ArgumentException">The mask is not bool or has another shape.</exception>
    public static void Apply(Tensor weight, Tensor mask)
    {
        if (mask.dtype != ScalarType.Bool || !mask.shape.SequenceEqual(weight.shape))
            throw new ArgumentException(
                $"The mask is {mask.dtype} {mask.ShapeText()}; expected Bool {weight.ShapeText()}, the shape of the weight.",
                    nameof(mask));
        using var noGrad = no_grad();
        weight.masked_fill_(mask, 0);
    }

    /// <summary>Share of a tensor that is zero.</summary>
    public static double Zeros(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return (weight == 0).sum().item<long>() / (double)Math.Max(1, weight.numel());
    }

    private static Tensor SmallestOfGroups(Tensor groups, long count)
    {
        var mask = zeros(groups.shape, ScalarType.Bool, groups.device);
        var places = groups.sort(dim: 1, stable: true).Indices.narrow(1, 0, count);
        return mask.scatter_(1, places, ones(places.shape, ScalarType.Bool, groups.device));
    }

    private static double Checked(double share)
    {
        Require.That(share is >= 0 and <= 1, share, nameof(share), "0 to 1");
        return share;
    }

    private static void CheckScores(Tensor scores)
    {
        using var scope = NewDisposeScope();
        if (scores.isnan().any().item<bool>()) throw new ArgumentException("A score is NaN.", nameof(scores));
    }
}
