using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Adds a vector of its own, a parameter, to each position.</summary>
/// <remarks>Gehring et al., 2017, https://arxiv.org/abs/1705.03122; GPT-2's <c>wpe.weight</c>.</remarks>
public sealed class LearnedPositions : PositionalEncoding
{
    private readonly Parameter weight;   // [length, channels]

    /// <param name="length">Longest sequence.</param>
    /// <param name="width">Channels.</param>
    /// <param name="deviation">Standard deviation at first.</param>
    public LearnedPositions(int length, int width, double deviation = 0.02) : base(nameof(LearnedPositions))
    {
        weight = Parameter(init.normal_(empty(length, width), 0, deviation));
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, long start) => AddRows(x, weight, start);

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, Tensor positions) => AddRows(x, weight, positions);
}
