using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Many MLPs of which each token goes through the few that a router chooses for it: more parameters, the same work.
/// </summary>
/// <remarks>
/// Shazeer et al., 2017, https://arxiv.org/abs/1701.06538; the weights of the chosen are their share of the router's softmax, as
/// in Mixtral (Jiang et al., 2024, https://arxiv.org/abs/2401.04088), whose parameter names these are. So that no expert idles,
/// training adds <see cref="LoadBalance"/>'s gradient to the router's, <c>balance</c> times; the loss that is reported stays the
/// task's.
/// </remarks>
public sealed class MixtureOfExperts : Module<Tensor, Tensor>
{
    private readonly Dense gate;
    private readonly ModuleList<GatedMlp> experts;
    private readonly HookPoint hook_router = new();   // the router's probabilities, [token, expert]
    private readonly int active;
    private readonly double balance;

    /// <param name="width">Channels that come in and go out.</param>
    /// <param name="feedForwardWidth">Channels inside an expert.</param>
    /// <param name="experts">Number of experts.</param>
    /// <param name="active">Experts that a token goes through.</param>
    /// <param name="balance">Weight of the load balance in the gradient; 0 for none.</param>
    /// <exception cref="ArgumentException">More active experts than there are, a size below 1, or a negative weight.</exception>
    public MixtureOfExperts(int width, int feedForwardWidth, int experts, int active = 2, double balance = 0.01)
        : base(nameof(MixtureOfExperts))
    {
        if (active < 1 || active > experts) throw new ArgumentException(
            $"{active} of {experts} experts cannot be active; expected 1 to {experts}.", nameof(active));
        if (!(balance >= 0)) throw new ArgumentException($"The balance is {balance}; it must not be negative.", nameof(balance));
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

    /// <summary>Each expert reads the tokens that chose it, and its results go back to their places.</summary>
    private Tensor Combine(Tensor tokens, Tensor weights, Tensor chosen)
    {
        if (tokens.IsMeta()) return experts[0].call(tokens);   // without numbers nobody is chosen
        var mixed = zeros_like(tokens);
        for (var expert = 0; expert < experts.Count; expert++)
        {
            var places = chosen.eq(expert).nonzero();          // [n, 2]: token, and which choice of its
            if (places.shape[0] == 0) continue;
            var rows = places.select(1, 0);
            var choices = places.select(1, 1);
            var result = experts[expert].call(tokens.index_select(0, rows)) * weights.index([rows, choices]).unsqueeze(-1);
            mixed = mixed.index_add(0, rows, result.to(mixed.dtype), 1);   // autocast makes them of different types
        }
        return mixed;
    }
}
