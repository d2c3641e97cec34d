using ResearchKit.Native;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// LoRA: what is learnt beside a frozen weight W, as the product of two thin matrices. The layer computes
/// x Wᵀ + b + scale · x Aᵀ Bᵀ.
/// </summary>
/// <remarks>
/// Hu et al., 2021, https://arxiv.org/abs/2106.09685. With magnitudes (DoRA: Liu et al., 2024,
/// https://arxiv.org/abs/2402.09353) the rows of W + scale · B A are brought to learnt lengths; the gradient does not flow
/// through their own lengths, as in the paper. A starts random and B with zeros, so a new adapter changes nothing.
/// </remarks>
public sealed class LowRankAdapter : nn.Module
{
    private readonly Parameter lora_A;           // [rank, in]
    private readonly Parameter lora_B;           // [out, rank]
    private readonly Parameter? lora_magnitude;  // [out]
    private readonly double dropout;
    private Tensor? lengths;                     // of the rows of W + scale · B A, when it was merged
    private FrozenCodes? codes;                  // the frozen weight, where it is quantized

    /// <param name="weight">The frozen weight [out, in], for its shape, device and row lengths.</param>
    /// <param name="rank">Rows of A, columns of B.</param>
    /// <param name="scale">Factor of B A.</param>
    /// <param name="hasMagnitudes">Whether the lengths of the rows are learnt (DoRA).</param>
    /// <param name="dropout">Probability of dropping an input of A in training.</param>
    internal LowRankAdapter(Tensor weight, int rank, double scale, bool hasMagnitudes, double dropout)
        : base(nameof(LowRankAdapter))
    {
        Scale = scale;
        this.dropout = dropout;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (outputs, inputs) = weight.Axes2();
        lora_A = new Parameter(nn.init.kaiming_uniform_(zeros([rank, inputs], ScalarType.Float32, weight.device), Math.Sqrt(5)));
        lora_B = new Parameter(zeros([outputs, rank], ScalarType.Float32, weight.device));
        if (hasMagnitudes) lora_magnitude = new Parameter(RowLengths(weight));
        RegisterComponents();
        foreach (var parameter in parameters()) parameter.DetachFromDisposeScope();
    }

    /// <summary>A, float32 [rank, in].</summary>
    public Parameter A => lora_A;

    /// <summary>B, float32 [out, rank].</summary>
    public Parameter B => lora_B;

    /// <summary>Learnt lengths of the rows, float32 [out]; null without magnitudes.</summary>
    public Parameter? Magnitudes => lora_magnitude;

    /// <summary>Factor of B A.</summary>
    public double Scale { get; }

    /// <summary>Whether the product is part of the layer's weight by now.</summary>
    public bool IsMerged { get; internal set; }

    /// <summary>Scheme of the frozen weight of the layer; null where it is floating-point.</summary>
    public QuantizationScheme? Base => codes?.Scheme;

    /// <summary>The frozen weight as codes; null where it is floating-point.</summary>
    internal FrozenCodes? Codes => codes;

    /// <summary>Throws if a model has adapters that are not part of its weights, or weights that are codes.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="consequence">What would become of them, as a clause such as "which packing would leave out".</param>
    /// <exception cref="InvalidOperationException">There is such an adapter.</exception>
    internal static void RefuseUnmerged(nn.Module model, string consequence)
    {
        foreach (var adapter in model.modules().OfType<LowRankAdapter>())
            if (!adapter.IsMerged)
                throw new InvalidOperationException($"The model has adapters that are not merged, {consequence}; merge them.");
            else if (adapter.codes is not null)
                throw new InvalidOperationException("The model has adapters on quantized weights; Adapters.Dequantize makes them "
                    + "ordinary weights.");
    }

    /// <inheritdoc/>
    /// <remarks>Where the layer's weight was replaced by codes, they are saved and loaded in its place.</remarks>
    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
    {
        destination = base.state_dict(destination, prefix);
        if (codes is not null && prefix is not null)
            destination.Remove($"{prefix[..^nameof(IAdaptableLayer.Adapter).Length]}weight");
        return destination;
    }

    /// <summary>Rounds the frozen weight of the layer to codes and frees the weight.</summary>
    internal void Quantize(IAdaptableLayer layer, QuantizationScheme scheme)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        codes = new FrozenCodes(layer.Matrix(), scheme);
        register_module(nameof(codes), codes);
        lora_magnitude?.copy_(RowLengths(codes.Numbers()));
        Packing.Empty(layer.Stored);
    }

    /// <summary>Gives the layer the numbers of its codes as its weight.</summary>
    internal void Dequantize(IAdaptableLayer layer)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var numbers = codes!.Numbers();
        NativeTensors.Assign(layer.Stored, (layer.IsTransposed ? numbers.t().contiguous() : numbers).to(layer.Stored.dtype));
        codes.Dispose();
        codes = null;
    }

    /// <summary>Whether a parameter is one of an adapter, by its name in the model.</summary>
    internal static bool IsOfAdapter(string name) => name.Contains(".adapter.lora_", StringComparison.Ordinal);

    /// <summary>scale · B A, float32 [out, in]; the caller disposes it.</summary>
    public Tensor Product()
    {
        using var scope = NewDisposeScope();
        return lora_B.matmul(lora_A).mul(Scale).MoveToOuterDisposeScope();
    }

    /// <summary>The weight that the layer has with the adapter, [out, in]; the caller disposes it.</summary>
    /// <param name="weight">The frozen weight [out, in].</param>
    internal Tensor Adapted(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var sum = weight + Product();
        if (lora_magnitude is null) return sum.MoveToOuterDisposeScope();
        lengths?.Dispose();
        lengths = RowLengths(sum.detach()).DetachFromDisposeScope();   // merging is undone with the same lengths
        return (sum * (lora_magnitude / lengths).unsqueeze(1)).MoveToOuterDisposeScope();
    }

    /// <summary>The frozen weight, from the weight with the adapter, [out, in]; the caller disposes it.</summary>
    /// <param name="weight">The weight [out, in] that <see cref="Adapted"/> made.</param>
    internal Tensor Unadapted(Tensor weight)
    {
        using var scope = NewDisposeScope();
        if (lora_magnitude is null) return (weight - Product()).MoveToOuterDisposeScope();
        return (weight * (lengths! / lora_magnitude).unsqueeze(1) - Product()).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the layer's output with the adapter.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="weight">The frozen weight [out, in].</param>
    /// <param name="bias">[out], or null.</param>
    internal Tensor Multiply(Tensor x, Tensor weight, Tensor? bias)
    {
        if (IsMerged) return Frozen(x, weight, bias);
        using var scope = NewDisposeScope();
        var dropped = training && dropout > 0 ? nn.functional.dropout(x, dropout, training: true) : x;
        using var a = LinearProduct.Of(dropped, lora_A);
        var change = LinearProduct.Of(a, lora_B) * Scale;
        if (lora_magnitude is null) return (Frozen(x, weight, bias) + change).MoveToOuterDisposeScope();
        using var sum = (codes?.Numbers() ?? weight.detach()) + Product().detach();
        var turned = (Frozen(x, weight, null) + change) * (lora_magnitude / RowLengths(sum));
        return (bias is null ? turned : turned + bias).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) lengths?.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Frozen(Tensor x, Tensor weight, Tensor? bias) =>
        codes is null ? LinearProduct.Of(x, weight, bias) : codes.Multiply(x, bias);

    private static Tensor RowLengths(Tensor weight) => weight.to(ScalarType.Float32).norm(1, p: 2);
}
