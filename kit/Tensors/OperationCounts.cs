using System.Globalization;

namespace ResearchKit.Tensors;

/// <summary>
/// Floating-point operations (FLOPs) of a computation by kind; a multiplication with an addition counts as two.
/// </summary>
/// <remarks>Biases, norms, softmax and activations are not counted.</remarks>
public readonly record struct OperationCounts
{
    /// <summary>Products of linear and recurrent layers, the output layer included.</summary>
    public double Linear { get; init; }

    /// <summary>Convolutions.</summary>
    public double Convolution { get; init; }

    /// <summary>Both products of attention, in full: every query with every key.</summary>
    public double Attention { get; init; }

    /// <summary>The same without the keys that a causal mask or a window hides from a query.</summary>
    public double CausalAttention { get; init; }

    /// <summary>Other matrix products.</summary>
    public double Other { get; init; }

    /// <summary>
    /// Products of the backward pass, attention in full: one for each factor that needs a gradient, so that a first convolution
    /// or a frozen weight costs one and not two.
    /// </summary>
    public double Backward { get; init; }

    /// <summary>The same without hidden keys.</summary>
    public double CausalBackward { get; init; }

    /// <summary>Forward operations that the backward pass repeats (activation checkpointing), attention in full.</summary>
    public double Recomputed { get; init; }

    /// <summary>The forward pass, attention in full.</summary>
    public double Forward => Linear + Convolution + Attention + Other;

    /// <summary>The forward pass without hidden keys.</summary>
    public double CausalForward => Linear + Convolution + CausalAttention + Other;

    /// <summary>Forward and backward pass, attention in full.</summary>
    public double Training => Forward + Backward + Recomputed;

    /// <summary>Multiply-adds of the forward pass: half its operations.</summary>
    public double MultiplyAdds => Forward / 2;

    /// <summary>Adds up two counts.</summary>
    public static OperationCounts operator +(OperationCounts left, OperationCounts right) => new()
    {
        Linear = left.Linear + right.Linear,
        Convolution = left.Convolution + right.Convolution,
        Attention = left.Attention + right.Attention,
        CausalAttention = left.CausalAttention + right.CausalAttention,
        Other = left.Other + right.Other,
        Backward = left.Backward + right.Backward,
        CausalBackward = left.CausalBackward + right.CausalBackward,
        Recomputed = left.Recomputed + right.Recomputed,
    };

    /// <summary>Multiplies a count, such as by one over the number of tokens.</summary>
    public static OperationCounts operator *(OperationCounts counts, double factor) => new()
    {
        Linear = counts.Linear * factor,
        Convolution = counts.Convolution * factor,
        Attention = counts.Attention * factor,
        CausalAttention = counts.CausalAttention * factor,
        Other = counts.Other * factor,
        Backward = counts.Backward * factor,
        CausalBackward = counts.CausalBackward * factor,
        Recomputed = counts.Recomputed * factor,
    };

    /// <summary>Subtracts a count.</summary>
    public static OperationCounts operator -(OperationCounts left, OperationCounts right) => left + (right * -1);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"forward {Forward:N0} FLOPs (linear {Linear:N0}, convolution {Convolution:N0}, attention {Attention:N0}, causal {CausalAttention:N0}, other {Other:N0}), backward {Backward:N0}");
}

/// <summary>Kind of a product in <see cref="OperationCounts"/>.</summary>
internal enum ProductKind
{
    /// <summary>A matrix product outside the layers below.</summary>
    Other,

    /// <summary>A linear or recurrent layer.</summary>
    Linear,

    /// <summary>A convolution.</summary>
    Convolution,

    /// <summary>Attention.</summary>
    Attention,
}
