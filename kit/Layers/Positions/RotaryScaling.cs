using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>How rotary positions are slowed down, so that a model reads longer texts than those it first learned from.</summary>
public abstract record RotaryScaling
{
    private protected RotaryScaling()
    {
    }

    /// <summary>The angles by which pairs of channels turn from one position to the next.</summary>
    /// <param name="frequencies">float32 [d_head / 2], without scaling.</param>
    /// <returns>[d_head / 2].</returns>
    internal abstract Tensor Of(Tensor frequencies);

    /// <summary>Refuses numbers that no rotation has.</summary>
    internal abstract void Validate();

    private static void Check(bool holds, string what)
    {
        if (!holds) throw new ArgumentException($"Rotary scaling: {what}.");
    }

    /// <summary>
    /// All angles divided by the same number: positions lie so much closer. Chen et al., 2023, https://arxiv.org/abs/2306.15595.
    /// </summary>
    /// <param name="Factor">The longer context over the first one; at least 1.</param>
    public sealed record Linear(double Factor) : RotaryScaling
    {
        internal override Tensor Of(Tensor frequencies) => frequencies / Factor;

        internal override void Validate() => Check(Factor >= 1, $"the factor is {Factor}; it must be at least 1");
    }

    /// <summary>
    /// Llama 3.1's: pairs that turn often within the first context keep their angles, those that hardly turn are slowed down in
    /// full, and those between by degrees. Dubey et al., 2024, https://arxiv.org/abs/2407.21783.
    /// </summary>
    /// <param name="Factor">What slow pairs' angles are divided by; at least 1.</param>
    /// <param name="LowTurns">Turns within the first context below which a pair is slow, <c>low_freq_factor</c>.</param>
    /// <param name="HighTurns">Turns above which it is fast, <c>high_freq_factor</c>.</param>
    /// <param name="FirstContext">Tokens of the first context, <c>original_max_position_embeddings</c>.</param>
    public sealed record Llama3(double Factor, double LowTurns, double HighTurns, int FirstContext) : RotaryScaling
    {
        internal override Tensor Of(Tensor frequencies)
        {
            using var scope = NewDisposeScope();
            var turns = frequencies * (FirstContext / (2 * Math.PI));
            var fast = ((turns - LowTurns) / (HighTurns - LowTurns)).clamp(0, 1);   // 0 = slow, 1 = fast
            return ((fast * frequencies) + ((1 - fast) * (frequencies / Factor))).MoveToOuterDisposeScope();
        }

        internal override void Validate()
        {
            Check(Factor >= 1, $"the factor is {Factor}; it must be at least 1");
            Check(LowTurns > 0 && HighTurns > LowTurns,
                $"the turns go from {LowTurns} to {HighTurns}; they must be above 0 and rise");
            Check(FirstContext >= 1, $"the first context is {FirstContext}; it must be at least 1");
        }
    }
}
