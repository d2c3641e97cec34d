using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// The upper Cholesky factor of a layer's inverse Hessian, which says how the error of one weight of a row is made up for by
/// the weights after it.
/// </summary>
/// <remarks>
/// Frantar et al., GPTQ, 2022, https://arxiv.org/abs/2210.17323, and SparseGPT, 2023, https://arxiv.org/abs/2301.00774. The
/// Hessian of the squared output error is 2 x xᵀ; its scale does not matter here, because the damping is relative. With H = R Rᵀ
/// and R upper triangular, the factor is the inverse of R; one Cholesky decomposition of H in reverse order gives R.
/// </remarks>
internal static class HessianFactor
{
    private const long ColumnsAtOnce = 512;

    /// <summary>Inputs whose second moment is zero: their weights never matter.</summary>
    /// <returns>bool [inputs].</returns>
    public static Tensor Dead(Tensor hessian) => hessian.diagonal() == 0;

    /// <summary>Factors a Hessian.</summary>
    /// <param name="hessian">Symmetric float32 [inputs, inputs]; it is overwritten and disposed, since it may be large.</param>
    /// <param name="damping">Share of the mean of the diagonal that is added to the diagonal.</param>
    /// <returns>Upper triangular float32 [inputs, inputs].</returns>
    /// <exception cref="ArgumentException">The Hessian is singular even with the damping.</exception>
    public static Tensor Of(Tensor hessian, double damping)
    {
        using var scope = NewDisposeScope();
        using var dead = Dead(hessian);
        var diagonal = hessian.diagonal();
        diagonal.masked_fill_(dead, 1);
        diagonal.add_(diagonal.mean() * damping);
        using var flipped = hessian.flip(0, 1);
        hessian.Dispose();
        var (lower, fault) = linalg.cholesky_ex(flipped);
        flipped.Dispose();
        if (fault.item<int>() != 0) throw Singular(damping);
        var upper = lower.flip(0, 1);
        lower.Dispose();
        Invert(upper);
        return upper.MoveToOuterDisposeScope();
    }

    /// <summary>Inverts an upper triangular matrix in place, some columns at a time.</summary>
    private static void Invert(Tensor upper)
    {
        var size = upper.shape[0];
        for (var start = 0L; start < size; start += ColumnsAtOnce)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(ColumnsAtOnce, size - start);
            var columns = upper.narrow(1, start, count);
            var block = columns.narrow(0, start, count);
            block.copy_(linalg.solve_triangular(block, eye(count, device: upper.device), upper: true));
            if (start == 0) continue;
            var above = columns.narrow(0, 0, start);
            above.copy_(upper.narrow(0, 0, start).narrow(1, 0, start).matmul(above).matmul(block).neg_());
        }
    }

    private static ArgumentException Singular(double damping) => new(FormattableString.Invariant(
        $"The inputs' second moment is singular even with a damping of {damping}; use more calibration data or more damping."));
}
