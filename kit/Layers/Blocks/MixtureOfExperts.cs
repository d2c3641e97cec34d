using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// A mixture of experts: each token is processed by the few MLPs that a router chooses for it, so that more
/// parameters cost no more work.
/// </summary>
/// <remarks>
/// Shazeer et al., 2017, https://arxiv.org/abs/1701.06538. The weights of the chosen experts are their
/// renormalised softmax probabilities, as in Mixtral (Jiang et al., 2024, https://arxiv.org/abs/2401.04088),
/// whose parameter names are used. To keep all experts in use, training adds the gradient of <c>balance</c>
/// times the <see cref="LoadBalance"/> loss; the reported loss does not include it.
/// </remarks>
public sealed class MixtureOfExperts : Module<Tensor, Tensor>
{
    private readonly Dense gate;
    private readonly ModuleList<GatedMlp> experts;
    private readonly HookPoint hook_router = new();   // probabilities of the router, [token, expert]
    private readonly int active;
    private readonly double balance;

    /// <param name="width">Channels of the input and of the output.</param>
    /// <param name="feedForwardWidth">Channels of the hidden layer of an expert.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="active">Number of experts that process a token.</param>
    /// <param name="balance">Weight of the load-balancing loss in the gradient; 0 for none.</param>
    /// <exception cref="ArgumentException">There are more active experts than experts, a size is below 1, or the
    /// weight is negative.</exception>
    public MixtureOfExperts(int width, int feedForwardWidth, int experts, int active = 2, double balance = 0.01)
        : base(nameof(MixtureOfExperts))
    {
        if (active < 1 || active > experts)
            throw new ArgumentException($"{active} of {experts} experts are active; expected 1 to {experts}.",
            nameof(active));
        if (!(balance >= 0))
            throw new ArgumentException($"The balance is {balance}; it must be at least 0.", nameof(balance));
        this.active = active;
        this.balance = balance;
        gate = Initialization.Dense(width, experts, bias: false);
        this.experts = ModuleList([.. Enumerable.Range(0, experts).Select(_ => new GatedMlp(width, feedForwardWidth))]);
        RegisterComponents();
    }

    /// <param name="x">[..., channels].</param>
    /// <returns>[..., channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var tokens = x.flatten(0, -2);                                                       // [token, channels]
        var probabilities = hook_router.call(gate.call(tokens).softmax(-1));                 // [token, expert]
        var (weights, chosen) = probabilities.topk(active, -1);                              // [token, active]
        weights = weights / weights.sum(-1, keepdim: true);
        var mixed = Combine(tokens, weights, chosen);
        if (training && balance > 0) mixed = AddedGradient.Join(mixed, LoadBalance.Loss(probabilities, chosen) * balance);
        return mixed.view(x.shape).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Runs each expert on the tokens routed to it, and adds the weighted results to the rows of those tokens.
    /// </summary>
    private Tensor Combine(Tensor tokens, Tensor weights, Tensor chosen)
    {
        if (tokens.IsMeta()) return experts[0].call(tokens);   // no routing without values
        var mixed = zeros_like(tokens);
        for (var expert = 0; expert < experts.Count; expert++)
        {
            var places = chosen.eq(expert).nonzero();          // [n, 2]: token, and index among its choices
            if (places.shape[0] == 0) continue;
            var rows = places.select(1, 0);
            var choices = places.select(1, 1);
            var result = experts[expert].call(tokens.index_select(0, rows)) * weights.index([rows, choices]).unsqueeze(-1);
            mixed = mixed.index_add(0, rows, result.to(mixed.dtype), 1);   // under autocast their dtypes differ
        }
        return mixed;
    }
}
