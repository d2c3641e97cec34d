using System.Runtime.InteropServices;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A table with an embedding vector for each token: a drop-in for <c>torch.nn.Embedding</c>.</summary>
/// <remarks>
/// The name and layout of its weight are those of an embedding in published checkpoints. Unlike TorchSharp's
/// layer it has no native part, so a model with it can be created on the meta device, without drawing random
/// numbers, and get its memory later.
/// </remarks>
public sealed class EmbeddingTable : Module<Tensor, Tensor>, IPackableLayer, IQuantizableLayer
{
    internal readonly Parameter weight;   // [vocabulary, channels]
    private readonly int? padding;
    // set in a model that is packed for inference, if the table is also the output layer
    private PackedMatrix? packed;
    private QuantizedWeight? quantized;   // of a quantized model; lookups read it too

    /// <param name="rows">Number of rows: the size of the vocabulary.</param>
    /// <param name="width">Channels of a vector.</param>
    /// <param name="padding">Row of the padding token, which starts at zero and gets no gradient; null for
    /// none.</param>
    /// <param name="deviation">Standard deviation of the initial weight.</param>
    public EmbeddingTable(int rows, int width, int? padding = null, double deviation = 0.02) : base(nameof(EmbeddingTable))
    {
        if (padding < 0 || padding >= rows)
            throw new ArgumentException($"The padding token is {padding}; the table has {rows} rows.", nameof(padding));
        this.padding = padding;
        weight = Parameter(init.normal_(empty(rows, width), 0, deviation));
        RegisterComponents();
        if (padding is not { } row) return;
        using var noGrad = no_grad();
        using var vector = weight.narrow(0, row, 1);
        vector.zero_();
    }

    /// <summary>Whether the table is also the output layer of its model (tied weights).</summary>
    internal bool Unembeds { get; set; }

    /// <summary>Uses the table as an output layer: computes x Eᵀ + b.</summary>
    /// <param name="x">[..., channels].</param>
    /// <param name="bias">[vocabulary], or null.</param>
    /// <returns>[..., vocabulary].</returns>
    internal Tensor Unembed(Tensor x, Tensor? bias = null) => packed is null ? LinearProduct.Of(x, weight, bias)
        : packed.Multiply(x, bias);

    /// <summary>The rows for steps of one token; null where they cannot be read.</summary>
    internal StepTable? Rows() => quantized is null ? new StepTable(weight, null) : quantized.ForOneToken(weight);

    /// <summary>The output layer's product for steps of one row; null where it is computed otherwise.</summary>
    internal StepProduct? Step() => StepProduct.Of(this, null);

    void IPackableLayer.Pack(ScalarType dtype)
    {
        if (!Unembeds) return;
        packed = new PackedLinear(weight, dtype);
        register_module(nameof(packed), packed);   // lookups still use the original weight
    }

    nn.Module IQuantizableLayer.Module => this;

    PackedMatrix? IQuantizableLayer.Packed => packed;

    LowRankAdapter? IQuantizableLayer.Adapter => null;

    bool IQuantizableLayer.IsTable => true;

    bool IQuantizableLayer.IsOffered => Unembeds;

    Tensor IQuantizableLayer.Matrix() => weight.alias();

    void IQuantizableLayer.Hold(QuantizedWeight quantized)
    {
        packed = this.quantized = quantized;
        register_module(nameof(quantized), quantized);
        Packing.Empty(weight);
    }

    /// <summary>Looks up the embedding vectors of tokens.</summary>
    /// <param name="tokens">int64 [...], such as [batch, time].</param>
    /// <returns>[..., channels].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var x = Rows(tokens).view([.. tokens.shape, weight.shape[1]]);
        if (padding is { } row && x.requires_grad && !x.IsMeta()) x = where(tokens.eq(row).unsqueeze(-1), x.detach(), x);
        ActivationRules.Table(tokens, x, weight, padding is not null);
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Rows(Tensor tokens)
    {
        try
        {
            return quantized is null ? weight.Rows(tokens.reshape(-1)) : quantized.Rows(tokens.reshape(-1));
        }
        catch (ExternalException error) when (error.Message.Contains("out of range", StringComparison.Ordinal))
        {
            throw new ArgumentException($"Tokens range from {tokens.min().item<long>()} to {tokens.max().item<long>()}; "
                + $"the table has {weight.shape[0]} rows, from 0.", nameof(tokens), error);
        }
    }
}
