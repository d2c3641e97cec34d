using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Load-balancing loss of a mixture of experts: how evenly the router distributes the tokens.
/// </summary>
public static class LoadBalance
{
    /// <summary>
    /// Computes E Σ f_e p_e: 1 if all E experts get the same number of tokens, up to E if one expert gets all.
    /// </summary>
    /// <remarks>
    /// Fedus et al., 2021, https://arxiv.org/abs/2101.03961, eq. 4: f_e is the share of the choices that went to
    /// expert e (no gradient), p_e the mean of the router's probabilities for it.
    /// </remarks>
    /// <param name="probabilities">Softmax output of the router, [token, expert].</param>
    /// <param name="chosen">Experts chosen for each token, int64 [token, active].</param>
    /// <returns>One number.</returns>
    /// <exception cref="ArgumentException">A tensor does not have two axes, or the numbers of tokens
    /// differ.</exception>
    public static Tensor Loss(Tensor probabilities, Tensor chosen)
    {
        var (tokens, experts) = probabilities.Axes2("probabilities [token, expert]");
        var (rows, active) = chosen.Axes2("choices [token, active]");
        if (rows != tokens)
            throw new ArgumentException($"Got probabilities of {tokens} tokens and choices of {rows}; "
            + "expected the same number.",
            nameof(chosen));
        using var scope = NewDisposeScope();
        var share = zeros([tokens, experts], probabilities.dtype, probabilities.device)
            .scatter_(1, chosen, ones(chosen.shape, probabilities.dtype, probabilities.device)).sum([0]) / (tokens * active);
        return (experts * (share * probabilities.mean([0])).sum()).MoveToOuterDisposeScope();
    }
}
