using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>How evenly a router spreads its tokens.</summary>
public static class LoadBalance
{
    /// <summary>E Σ f_e p_e: 1 where all experts get the same, up to E where one gets all.</summary>
    /// <remarks>
    /// Fedus et al., 2021, https://arxiv.org/abs/2101.03961, eq. 4: f_e is the share of the choices that fell on expert e (no
    /// gradient), p_e the mean of its probabilities.
    /// </remarks>
    /// <param name="probabilities">The router's softmax, [token, expert].</param>
    /// <param name="chosen">int64 [token, active], the experts chosen for each token.</param>
    /// <returns>One number.</returns>
    /// <exception cref="ArgumentException">Not two axes each, or not of the same tokens.</exception>
    public static Tensor Loss(Tensor probabilities, Tensor chosen)
    {
        var (tokens, experts) = probabilities.Axes2("probabilities [token, expert]");
        var (rows, active) = chosen.Axes2("choices [token, active]");
        if (rows != tokens)
            throw new ArgumentException($"Got probabilities of {tokens} tokens and choices of {rows}.", nameof(chosen));
        using var scope = NewDisposeScope();
        var share = zeros([tokens, experts], probabilities.dtype, probabilities.device)
            .scatter_(1, chosen, ones(chosen.shape, probabilities.dtype, probabilities.device)).sum([0]) / (tokens * active);
        return (experts * (share * probabilities.mean([0])).sum()).MoveToOuterDisposeScope();
    }
}
