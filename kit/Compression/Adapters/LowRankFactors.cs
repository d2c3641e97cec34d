using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Two thin matrices whose product is close to a weight: out × rank and rank × in.</summary>
/// <remarks>
/// The closest product in the sum of squares, from the singular values (Eckart and Young, 1936). The caller disposes it.
/// </remarks>
public sealed class LowRankFactors : IDisposable
{
    private LowRankFactors(Tensor left, Tensor right, double error) => (Left, Right, RelativeError) = (left, right, error);

    /// <summary>float32 [out, rank], scaled by the roots of the singular values.</summary>
    public Tensor Left { get; }

    /// <summary>float32 [rank, in], scaled by the roots of the singular values.</summary>
    public Tensor Right { get; }

    /// <summary>Norm of what is missing over the norm of the weight.</summary>
    public double RelativeError { get; }

    /// <summary>Factors a weight.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="rank">1 to the smaller side.</param>
    /// <exception cref="ArgumentException">The rank is out of range, or the weight is no matrix.</exception>
    public static LowRankFactors Of(Tensor weight, int rank)
    {
        var (rows, columns) = weight.Axes2("a weight [out, in]");
        Require.That(rank >= 1 && rank <= Math.Min(rows, columns), rank, nameof(rank), $"1 to {Math.Min(rows, columns)}");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (u, s, v) = linalg.svd(weight.detach().to(ScalarType.Float32), fullMatrices: false);
        var roots = s.narrow(0, 0, rank).sqrt();
        var squares = s.to(ScalarType.Float64).pow(2);
        var total = squares.sum().item<double>();
        var missing = total - squares.narrow(0, 0, rank).sum().item<double>();
        return new LowRankFactors((u.narrow(1, 0, rank) * roots).DetachFromDisposeScope(),
            (v.narrow(0, 0, rank) * roots.unsqueeze(1)).DetachFromDisposeScope(),
            total == 0 ? 0 : Math.Sqrt(Math.Max(0, missing) / total));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
    }
}
