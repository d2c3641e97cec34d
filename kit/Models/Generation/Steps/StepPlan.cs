using ResearchKit.Layers;

namespace ResearchKit.Models;

/// <summary>What a decoder computes for one token: embedding, layers, norm and head.</summary>
/// <param name="Tokens">Embeddings of the tokens.</param>
/// <param name="Positions">Vectors that are added to these; null for none.</param>
/// <param name="Frequencies">Angles of rotary positions, [d_head / 2]; null for none.</param>
/// <param name="Layers">The layers; at least one.</param>
/// <param name="LastNorm">The norm after the last layer.</param>
/// <param name="Head">The output layer; null where it is not part of the step.</param>
/// <param name="Activation">Non-linearity of the MLPs.</param>
/// <param name="HeadWidth">Channels of a head.</param>
internal sealed record StepPlan(StepTable Tokens, StepTable? Positions, float[]? Frequencies, IReadOnlyList<StepLayer> Layers,
    StepNorm LastNorm, StepProduct? Head, Activation Activation, int HeadWidth)
{
    private readonly StepProduct[] products =
        [.. Layers.SelectMany(layer => layer.Products), .. Head is null ? Array.Empty<StepProduct>() : [Head]];
    private readonly StepNorm[] norms = [.. Layers.SelectMany(layer => new[] { layer.FirstNorm, layer.SecondNorm }), LastNorm];

    /// <summary>Channels of the residual stream.</summary>
    public int Width => Layers[0].Output.Outputs;

    /// <summary>Most inputs of a product.</summary>
    public int WidestInput => products.Max(product => product.Inputs);

    /// <summary>Most channels that the projections of a layer make together.</summary>
    public int WidestProjection => Layers.Max(layer => layer.Projections.Sum(product => product.Outputs));

    /// <summary>Multiply-adds of the products.</summary>
    public long MultiplyAdds => products.Sum(product => (long)product.Inputs * product.Outputs);

    /// <summary>Whether a step can read all of it.</summary>
    public bool IsReadable => Tokens.IsReadable && Positions?.IsReadable != false && norms.All(norm => norm.IsReadable)
        && StepActivation.Has(Activation);

    /// <summary>Whether the model still has the weights that it had, of the same type.</summary>
    public bool IsCurrent
    {
        get
        {
            if (!IsReadable) return false;
            foreach (var product in products)
                if (!product.IsCurrent) return false;
            return true;
        }
    }

    /// <summary>Reads all addresses anew; on the thread that starts the step.</summary>
    public void Locate()
    {
        Tokens.Locate();
        Positions?.Locate();
        foreach (var product in products) product.Locate();
        foreach (var norm in norms) norm.Locate();
    }
}
