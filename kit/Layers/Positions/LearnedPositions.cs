using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Adds a learned vector for each position to the embeddings.</summary>
/// <remarks>Gehring et al., 2017, https://arxiv.org/abs/1705.03122; GPT-2's <c>wpe.weight</c>.</remarks>
public sealed class LearnedPositions : PositionalEncoding
{
    private readonly Parameter weight;   // [length, channels]

    /// <param name="length">Length of the longest sequence.</param>
    /// <param name="width">Channels of the embeddings.</param>
    /// <param name="deviation">Standard deviation of the initial vectors.</param>
    public LearnedPositions(int length, int width, double deviation = 0.02) : base(nameof(LearnedPositions))
    {
        weight = Parameter(init.normal_(empty(length, width), 0, deviation));
        RegisterComponents();
    }

    /// <summary>The vectors for steps of one token.</summary>
    internal StepTable Rows() => new(weight, null);

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, long start) => AddRows(x, weight, start);

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, Tensor positions) => AddRows(x, weight, positions);
}
