using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdamW"/>.</summary>
public sealed record FusedAdamWOptions
{
    /// <summary>Size of a step.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>How much of the mean gradient a step keeps.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>How much of the mean squared gradient a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps the denominator from zero.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Share of a parameter, times the learning rate, that a step takes away.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Which parameters decay, by name and value; by default all, as in PyTorch.</summary>
    public Func<string, Tensor, bool> Decays { get; init; } = (_, _) => true;

    /// <summary>The usual rule for transformers: matrices decay, biases and norms do not.</summary>
    public static Func<string, Tensor, bool> MatricesOnly => (_, parameter) => parameter.dim() >= 2;
}

/// <summary>Adam with weight decay that does not go through the moments, in one fused operation a step.</summary>
/// <remarks>
/// Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101. The same numbers as <c>torch.optim.AdamW</c>, whose fused kernel
/// this is. State is named as PyTorch names it: <c>step</c>, <c>exp_avg</c>, <c>exp_avg_sq</c>.
/// </remarks>
public sealed class FusedAdamW : IDisposable
{
    private readonly List<Slot> decaying, others;
    private readonly FusedAdamWOptions options;

    /// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">No parameter, or settings out of range.</exception>
    public FusedAdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, FusedAdamWOptions? options = null)
    {
        this.options = options ?? new FusedAdamWOptions();
        Check(this.options);
        LearningRate = this.options.LearningRate;
        var slots = parameters.Where(pair => pair.Parameter.requires_grad).Select(pair => new Slot(pair.Name, pair.Parameter)).ToList();
        if (slots.Count == 0) throw new ArgumentException("There is no parameter to train.", nameof(parameters));
        decaying = [.. slots.Where(slot => this.options.Decays(slot.Name, slot.Parameter))];
        others = [.. slots.Except(decaying)];
    }

    /// <summary>Size of the next step; schedules set it.</summary>
    public double LearningRate { get; set; }

    /// <summary>Moves every parameter that has a gradient.</summary>
    public void Step()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Step(decaying, options.WeightDecay);
        Step(others, 0);
    }

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGrad()
    {
        foreach (var slot in Slots) slot.Parameter.grad = null;
    }

    /// <summary>The moments and step counts by name; they stay the optimizer's.</summary>
    public IReadOnlyDictionary<string, Tensor> State() => Slots.SelectMany(slot => slot.State()).ToDictionary();

    /// <summary>Copies moments and step counts in.</summary>
    /// <exception cref="InvalidDataException">A name is missing, or a shape differs.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        using var noGrad = no_grad();
        var own = State();
        foreach (var (name, target) in own)
            if (!state.TryGetValue(name, out var saved) || !saved.shape.SequenceEqual(target.shape))
                throw new InvalidDataException($"The optimizer's state lacks {name} of shape [{string.Join(", ", target.shape)}].");
        foreach (var (name, target) in own) target.copy_(state[name]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in State().Values) tensor.Dispose();
    }

    private IEnumerable<Slot> Slots => decaying.Concat(others);

    private void Step(List<Slot> slots, double weightDecay)
    {
        var moving = slots.Select(slot => (Slot: slot, Gradient: slot.Parameter.grad)).Where(pair => pair.Gradient is not null).ToList();
        if (moving.Count == 0) return;
        FusedSteps.AdamW([.. moving.Select(pair => pair.Slot.Parameter)], [.. moving.Select(pair => pair.Gradient!)],
            [.. moving.Select(pair => pair.Slot.Mean)], [.. moving.Select(pair => pair.Slot.Square)], [.. moving.Select(pair => pair.Slot.Count)],
            LearningRate, options.Beta1, options.Beta2, weightDecay, options.Epsilon);
    }

    private static void Check(FusedAdamWOptions options)
    {
        if (options.LearningRate is not >= 0) throw new ArgumentException($"LearningRate is {options.LearningRate}; it must not be negative.");
        if (options.Beta1 is not (>= 0 and < 1)) throw new ArgumentException($"Beta1 is {options.Beta1}; it must be at least 0 and below 1.");
        if (options.Beta2 is not (>= 0 and < 1)) throw new ArgumentException($"Beta2 is {options.Beta2}; it must be at least 0 and below 1.");
        if (options.Epsilon is not >= 0) throw new ArgumentException($"Epsilon is {options.Epsilon}; it must not be negative.");
        if (options.WeightDecay is not >= 0) throw new ArgumentException($"WeightDecay is {options.WeightDecay}; it must not be negative.");
    }

    /// <summary>A parameter and what the optimizer remembers of it.</summary>
    private sealed record Slot(string Name, Parameter Parameter)
    {
        public Tensor Count { get; } = zeros([], float32, Parameter.device).DetachFromDisposeScope();
        public Tensor Mean { get; } = Zeros(Parameter);
        public Tensor Square { get; } = Zeros(Parameter);

        public IEnumerable<KeyValuePair<string, Tensor>> State() =>
            [new($"{Name}.step", Count), new($"{Name}.exp_avg", Mean), new($"{Name}.exp_avg_sq", Square)];

        private static Tensor Zeros(Parameter like) => zeros(like.shape, like.dtype, like.device).DetachFromDisposeScope();
    }
}
