using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Sam"/>.</summary>
public sealed record SamOptions
{
    /// <summary>Neighbourhood radius (ρ).</summary>
    public double Rho { get; init; } = 0.05;

    /// <summary>
    /// Whether distances are relative to each weight (Kwon et al., 2021, https://arxiv.org/abs/2102.11600); ρ
    /// should then be about ten times larger.
    /// </summary>
    public bool Adaptive { get; init; }

    internal void Check() => Require.NotNegative(Rho);
}

/// <summary>
/// Sharpness-aware minimization (SAM): takes the gradient at the point of highest loss near the weights, and
/// lets another optimizer step with it. It finds flat minima.
/// </summary>
/// <remarks>
/// Foret et al., 2021, https://arxiv.org/abs/2010.01412. A step needs two gradients. Call <c>backward</c>,
/// <see cref="Climb"/>, <see cref="ZeroGrad"/>, <c>backward</c> again and <see cref="Step()"/>; or call
/// <see cref="Step(Action)"/>, which does all of this. The state is that of the inner optimizer.
/// </remarks>
public sealed class Sam : Optimizer
{
    private static readonly TorchScript Script = new("Sam.py");

    private readonly List<Parameter> parameters;
    private readonly Optimizer inner;
    private readonly SamOptions options;
    private readonly List<(Parameter Parameter, Tensor Before)> climbed = [];

    /// <param name="parameters">Parameters of the inner optimizer.</param>
    /// <param name="inner">Optimizer that updates the parameters, such as a <see cref="FusedSgd"/>; it is disposed
    /// with this one.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Sam(IEnumerable<(string Name, Parameter Parameter)> parameters, Optimizer inner, SamOptions? options = null)
    {
        this.parameters = [.. parameters.Select(pair => pair.Parameter)];
        this.inner = inner;
        this.options = options ?? new();
        this.options.Check();
    }

    /// <inheritdoc/>
    public override double LearningRate
    {
        get => inner.LearningRate;
        set => inner.LearningRate = value;
    }

    /// <summary>
    /// Moves the weights by ρ along the gradient, towards the highest loss near by. Compute the next gradient
    /// there.
    /// </summary>
    /// <exception cref="InvalidOperationException">It was called twice without a step.</exception>
    public void Climb()
    {
        if (climbed.Count > 0)
            throw new InvalidOperationException("Climb() was called twice; expected a Step() in between.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var moving = parameters.Where(parameter => parameter.grad is not null).ToList();
        if (moving.Count == 0) return;
        var before = (Tensor[])Script.Call("climb", (Tensor[])[.. moving],
            (Tensor[])[.. moving.Select(parameter => parameter.grad!)], options.Rho, options.Adaptive);
        climbed.AddRange(moving.Zip(before.Select(tensor => tensor.DetachFromDisposeScope())));
    }

    /// <summary>
    /// Restores the weights from before <see cref="Climb"/>, and updates them with the current gradient.
    /// </summary>
    public override void Step()
    {
        Return();
        inner.Step();
    }

    /// <summary>Does a whole step with two gradients.</summary>
    /// <param name="gradients">Computes the loss and its gradients at the current weights. It is called twice, each
    /// time with no gradients set.</param>
    public void Step(Action gradients)
    {
        ZeroGrad();
        gradients();
        Climb();
        ZeroGrad();
        try
        {
            gradients();
        }
        catch
        {
            Return();
            throw;
        }
        Step();
    }

    /// <inheritdoc/>
    public override void ZeroGrad() => inner.ZeroGrad();

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Called between <see cref="Climb"/> and <see cref="Step()"/>,
    /// while the weights are displaced.</exception>
    public override IReadOnlyDictionary<string, Tensor> State() => climbed.Count == 0 ? inner.State()
        : throw new InvalidOperationException("There is no state between Climb() and Step(); call Step() first.");

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state) => inner.LoadState(state);

    /// <inheritdoc/>
    public override void Train() => inner.Train();

    /// <inheritdoc/>
    public override void Evaluate() => inner.Evaluate();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var (_, before) in climbed) before.Dispose();
        inner.Dispose();
    }

    private void Return()
    {
        using var noGrad = no_grad();
        foreach (var (parameter, before) in climbed)
        {
            parameter.copy_(before);
            before.Dispose();
        }
        climbed.Clear();
    }
}
