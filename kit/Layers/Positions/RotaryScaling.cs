using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// How rotary positions are slowed down, so that a model can read longer texts than in its first training.
/// </summary>
public abstract record RotaryScaling
{
    private protected RotaryScaling()
    {
    }

    /// <summary>
    /// Computes the scaled angles by which pairs of channels rotate from one position to the next.
    /// </summary>
    /// <param name="frequencies">The angles without scaling, float32 [d_head / 2].</param>
    /// <returns>[d_head / 2].</returns>
    internal abstract Tensor Of(Tensor frequencies);

    /// <summary>Throws if a number is out of range.</summary>
    internal abstract void Validate();

    private static void Check(bool holds, string what)
    {
        if (!holds) throw new ArgumentException($"Rotary scaling: {what}.");
    }

    /// <summary>
    /// Position interpolation: all angles are divided by the same factor. Chen et al., 2023,
    /// https://arxiv.org/abs/2306.15595.
    /// </summary>
    /// <param name="Factor">The longer context length divided by the first one; at least 1.</param>
    public sealed record Linear(double Factor) : RotaryScaling
    {
        internal override Tensor Of(Tensor frequencies) => frequencies / Factor;

        internal override void Validate() => Check(Factor >= 1, $"the factor is {Factor}; it must be at least 1");
    }

    /// <summary>
    /// Llama 3.1's scaling: pairs that rotate often within the first context keep their angles, pairs that hardly
    /// rotate are slowed down by the whole factor, and pairs in between are interpolated. Dubey et al., 2024,
    /// https://arxiv.org/abs/2407.21783.
    /// </summary>
    /// <param name="Factor">The angles of slow pairs are divided by this; at least 1.</param>
    /// <param name="LowTurns">A pair with fewer rotations within the first context is slow;
    /// <c>low_freq_factor</c>.</param>
    /// <param name="HighTurns">A pair with more rotations within the first context is fast;
    /// <c>high_freq_factor</c>.</param>
    /// <param name="FirstContext">Context length of the first training, in tokens;
    /// <c>original_max_position_embeddings</c>.</param>
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
