using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>A vector for each token: a table whose rows are looked up.</summary>
/// <remarks>
/// The name and layout of its weight are those of an embedding in published checkpoints. All of it is managed, so that a model can
/// be made on the meta device without drawing a random number, and be given its memory later.
/// </remarks>
public sealed class EmbeddingTable : Module<Tensor, Tensor>
{
    private readonly Parameter weight;   // [vocabulary, channels]

    /// <param name="rows">Number of different tokens.</param>
    /// <param name="width">Channels.</param>
    /// <param name="deviation">Standard deviation at first.</param>
    public EmbeddingTable(int rows, int width, double deviation = 0.02) : base(nameof(EmbeddingTable))
    {
        weight = Parameter(init.normal_(empty(rows, width), 0, deviation));
        RegisterComponents();
    }

    /// <summary>The vectors of tokens.</summary>
    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor tokens)
    {
        var (batch, time) = tokens.Axes2("tokens [batch, time]");
        using var scope = NewDisposeScope();
        return weight.index_select(0, tokens.reshape(-1)).view(batch, time, weight.shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>Scores of all tokens for vectors: the table as an output layer.</summary>
    /// <param name="x">[..., channels].</param>
    /// <returns>[..., vocabulary].</returns>
    public Tensor Scores(Tensor x) => functional.linear(x, weight);
}
