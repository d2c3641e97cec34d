using System.Globalization;

namespace ResearchKit.Scaling;

/// <summary>Number of parameters by kind; a shared parameter counts once, at its first place.</summary>
/// <param name="Embedding">Tables of tokens, token types and learned positions.</param>
/// <param name="Matrices">Weights of hidden linear, recurrent and convolution layers.</param>
/// <param name="Head">Weight of the output layer, where it is not that of the embeddings.</param>
/// <param name="Norms">Weights and biases of norms.</param>
/// <param name="Biases">All other vectors, such as biases.</param>
public sealed record ParameterCounts(long Embedding, long Matrices, long Head, long Norms, long Biases)
{
    /// <summary>All parameters.</summary>
    public long Total => Embedding + Matrices + Head + Norms + Biases;

    /// <summary>N as Kaplan et al. count it: without embeddings.</summary>
    public long WithoutEmbedding => Total - Embedding;

    /// <summary>How many of all are trained.</summary>
    public long Trainable { get; init; }

    /// <summary>How many are shared with an earlier place, and are not in the counts.</summary>
    public long Shared { get; init; }

    /// <summary>Elements of buffers, such as the running statistics of batch norms.</summary>
    public long Buffers { get; init; }

    /// <summary>Adds up two counts.</summary>
    public static ParameterCounts operator +(ParameterCounts left, ParameterCounts right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new(left.Embedding + right.Embedding, left.Matrices + right.Matrices, left.Head + right.Head,
            left.Norms + right.Norms, left.Biases + right.Biases)
        {
            Trainable = left.Trainable + right.Trainable,
            Shared = left.Shared + right.Shared,
            Buffers = left.Buffers + right.Buffers,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Total:N0} parameters: embedding {Embedding:N0}, matrices {Matrices:N0}, head {Head:N0}, norms {Norms:N0}, biases {Biases:N0}");
}
