using ResearchKit.Results;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>One of the two matrices that a head applies to the residual stream.</summary>
public enum CircuitKind
{
    /// <summary>W_Q W_Kᵀ: which tokens attend to which.</summary>
    QueryKey,

    /// <summary>W_V W_O: what a token that is attended to adds to the stream.</summary>
    OutputValue,
}

/// <summary>What a later head reads from an earlier one.</summary>
public enum CompositionKind
{
    /// <summary>Its queries.</summary>
    Query,

    /// <summary>Its keys.</summary>
    Key,

    /// <summary>Its values.</summary>
    Value,
}

/// <summary>
/// The largest singular directions of a circuit: circuit ≈ Left · diag(Values) · Rightᵀ, exactly with all of them.
/// </summary>
/// <param name="Left">[channels, rank]: directions of the stream that it reads (of the query in a QK circuit).</param>
/// <param name="Values">Singular values, largest first.</param>
/// <param name="Right">[channels, rank]: directions that it writes (of the key in a QK circuit).</param>
public sealed record CircuitDirections(Tensor Left, IReadOnlyList<double> Values, Tensor Right) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Left.Dispose();
        Right.Dispose();
    }
}

/// <summary>
/// The QK and OV circuits of heads. They have [channels, channels] elements but only the rank of a head, and all of this is
/// computed from the thin factors: no circuit is ever expanded.
/// </summary>
/// <remarks>
/// Elhage et al., 2021, https://transformer-circuits.pub/2021/framework. Row vectors; without biases, norms, the scale of the
/// scores, and rotary positions. Computed in float64.
/// </remarks>
public static class HeadCircuits
{
    /// <summary>The singular values of a circuit, largest first, as many as d_head.</summary>
    public static IReadOnlyList<double> SingularValues(this HeadWeights head, CircuitKind kind)
    {
        ArgumentNullException.ThrowIfNull(head);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (left, right) = Factors(head, kind);
        var (_, l) = linalg.qr(left);
        var (_, r) = linalg.qr(right);
        return linalg.svdvals(l.matmul(r.t())).cpu().data<double>().ToArray();
    }

    /// <summary>The singular value decomposition of a circuit.</summary>
    /// <param name="head">The head.</param>
    /// <param name="kind">Which circuit.</param>
    /// <returns>All d_head directions; the caller disposes it.</returns>
    public static CircuitDirections Directions(this HeadWeights head, CircuitKind kind)
    {
        ArgumentNullException.ThrowIfNull(head);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (left, right) = Factors(head, kind);
        var (leftBasis, l) = linalg.qr(left);
        var (rightBasis, r) = linalg.qr(right);
        var (u, s, vh) = linalg.svd(l.matmul(r.t()), fullMatrices: false);
        return new CircuitDirections(leftBasis.matmul(u).MoveToOuterDisposeScope(), s.cpu().data<double>().ToArray(),
            rightBasis.matmul(vh.t()).MoveToOuterDisposeScope());
    }

    /// <summary>Singular values of a circuit of every head.</summary>
    /// <param name="model">A model that <see cref="HeadWeights.Of"/> reads.</param>
    /// <param name="kind">Which circuit.</param>
    /// <param name="heads">Heads of a layer; null if the model's configuration says it.</param>
    /// <inheritdoc cref="HeadWeights.Of" path="/exception"/>
    public static Grid SpectraOf(nn.Module model, CircuitKind kind, int? heads = null)
    {
        using var scope = NewDisposeScope();
        var all = HeadWeights.Of(model, heads);
        var spectra = all.Select(head => head.SingularValues(kind)).ToList();
        var values = new double[all.Count, spectra.Max(spectrum => spectrum.Count)];
        for (var head = 0; head < all.Count; head++)
            for (var number = 0; number < spectra[head].Count; number++) values[head, number] = spectra[head][number];
        return new Grid(kind == CircuitKind.QueryKey ? "singular values of QK" : "singular values of OV", "",
            [.. all.Select(Name)],
            [.. Enumerable.Range(0, values.GetLength(1)).Select(number => $"{number}")], values)
        { RowAxis = "head", ColumnAxis = "number" };
    }

    /// <summary>
    /// The copying score of a head: the sum of the eigenvalues of its full OV circuit, embedding · W_V W_O · unembeddingᵀ,
    /// over the sum of their magnitudes; 1 if every token raises its own logit, -1 if every token lowers it.
    /// </summary>
    /// <param name="head">The head.</param>
    /// <param name="embedding">Token embedding, [vocabulary, channels].</param>
    /// <param name="unembedding">Output layer, [vocabulary, channels].</param>
    /// <returns>From -1 to 1; NaN if all eigenvalues are 0.</returns>
    public static double Copying(this HeadWeights head, Tensor embedding, Tensor unembedding)
    {
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(embedding);
        ArgumentNullException.ThrowIfNull(unembedding);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        return Copying(head, Overlap(embedding, unembedding));
    }

    /// <summary>How much a later head reads what an earlier one writes, for every pair of heads.</summary>
    /// <param name="model">A model that <see cref="HeadWeights.Of"/> reads.</param>
    /// <param name="kind">What the later head reads it with.</param>
    /// <param name="heads">Heads of a layer; null if the model's configuration says it.</param>
    /// <returns>
    /// Rows: earlier heads; columns: later ones. The Frobenius norm of the product over the product of the norms, from 0 to
    /// 1; NaN where the head of the column is not later.
    /// </returns>
    /// <remarks>Two random heads have about 1/√channels, the level to compare with.</remarks>
    /// <inheritdoc cref="HeadWeights.Of" path="/exception"/>
    public static Grid Composition(nn.Module model, CompositionKind kind, int? heads = null)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var layers = HeadWeights.Of(model, heads).GroupBy(head => head.Layer).Select(layer => layer.ToList()).ToList();
        var all = layers.SelectMany(layer => layer).ToList();
        var values = new double[all.Count, all.Count];
        for (var row = 0; row < all.Count; row++)
            for (var column = 0; column < all.Count; column++) values[row, column] = double.NaN;
        var place = 0;
        foreach (var later in layers)
        {
            if (later != layers[0]) Compose(all.Take(place).ToList(), later, kind, values, place);
            place += later.Count;
        }
        var names = all.Select(Name).ToList();
        return new Grid($"{kind.ToString()[..1]}-composition", "", names, names, values)
        {
            RowAxis = "earlier head",
            ColumnAxis = "later head",
            Evidence = new Evidence { Notes = [$"two random heads: about {1 / Math.Sqrt(all[0].Query.shape[0]):0.###}"] },
        };
    }

    /// <summary>Embeddingᵀ-and-unembedding overlap, unembeddingᵀ · embedding, [channels, channels].</summary>
    internal static Tensor Overlap(Tensor embedding, Tensor unembedding) =>
        unembedding.detach().t().matmul(embedding.detach()).to(float64);

    /// <summary>The nonzero eigenvalues of A B are those of B A, which has the rank of a head.</summary>
    internal static double Copying(HeadWeights head, Tensor overlap)
    {
        using var scope = NewDisposeScope();
        var small = head.Output.detach().to(float64).matmul(overlap)
            .matmul(head.Value.detach().to(float64));   // [d_head, d_head]
        var values = linalg.eigvals(small);
        var total = values.abs().sum().item<double>();
        return total > 0 ? values.real.sum().item<double>() / total : double.NaN;
    }

    internal static string Name(HeadWeights head) => $"{head.Layer}.{head.Head}";

    private static void Compose(List<HeadWeights> earlier, List<HeadWeights> later, CompositionKind kind, double[,] values,
        int place)
    {
        using var scope = NewDisposeScope();
        var (inputs, norms) = Reads(later, kind);
        for (var row = 0; row < earlier.Count; row++)
        {
            using var inner = NewDisposeScope();
            var (_, r) = linalg.qr(earlier[row].Value.detach().to(float64));
            var writes = r.matmul(earlier[row].Output.detach().to(float64));   // [d_head, channels], with OV's norm
            var products = writes.matmul(inputs).square().sum([1, 2]).sqrt() / (writes.norm() * norms);
            var scores = products.cpu().data<double>().ToArray();
            for (var column = 0; column < scores.Length; column++) values[row, place + column] = scores[column];
        }
    }

    /// <summary>What each head reads with, [head, channels, d_head], and the norms of their circuits.</summary>
    private static (Tensor Inputs, Tensor Norms) Reads(List<HeadWeights> heads, CompositionKind kind)
    {
        var inputs = stack(heads.Select(head =>
        {
            var (read, other) = kind switch
            {
                CompositionKind.Query => (head.Query, head.Key),
                CompositionKind.Key => (head.Key, head.Query),
                _ => (head.Value, head.Output.t()),
            };
            var (_, r) = linalg.qr(other.detach().to(float64));
            return read.detach().to(float64).matmul(r.t());
        }));
        return (inputs, inputs.square().sum([1, 2]).sqrt());
    }

    /// <summary>The thin factors: the circuit is left · rightᵀ.</summary>
    private static (Tensor Left, Tensor Right) Factors(HeadWeights head, CircuitKind kind) => kind == CircuitKind.QueryKey
        ? (head.Query.detach().to(float64), head.Key.detach().to(float64))
        : (head.Value.detach().to(float64), head.Output.detach().t().to(float64));
}
