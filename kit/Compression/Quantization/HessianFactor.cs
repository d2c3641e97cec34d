using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// The upper Cholesky factor of a layer's inverse Hessian, which says how the error of one weight of a row is made up for by
/// the weights after it.
/// </summary>
/// <remarks>
/// Frantar et al., GPTQ, 2022, https://arxiv.org/abs/2210.17323, and SparseGPT, 2023, https://arxiv.org/abs/2301.00774. The
/// Hessian of the squared output error is 2 x xᵀ; its scale does not matter here, because the damping is relative.
/// </remarks>
internal static class HessianFactor
{
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
        using var lower = Lower(hessian, damping);
        hessian.Dispose();
        using var inverse = lower.cholesky_inverse();
        lower.Dispose();
        using var upper = Lower(inverse, damping);
        inverse.Dispose();
        return upper.t().contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Lower(Tensor matrix, double damping)
    {
        var (lower, fault) = linalg.cholesky_ex(matrix);
        using var code = fault;
        if (fault.item<int>() == 0) return lower;
        lower.Dispose();
        throw Singular(damping);
    }

    private static ArgumentException Singular(double damping) => new(FormattableString.Invariant(
        $"The inputs' second moment is singular even with a damping of {damping}; use more calibration data or more damping."));
}
