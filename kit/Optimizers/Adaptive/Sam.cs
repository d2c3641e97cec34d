using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="Sam"/>.</summary>
public sealed record SamOptions
{
    /// <summary>How far the neighbourhood reaches that the loss is the worst of.</summary>
    public double Rho { get; init; } = 0.05;

    /// <summary>
    /// Whether distances count relative to each weight (Kwon et al., 2021, https://arxiv.org/abs/2102.11600); ρ is then about ten
    /// times larger.
    /// </summary>
    public bool Adaptive { get; init; }

    internal void Check() => Require.NotNegative(Rho);
}

/// <summary>
/// Takes the gradient at the worst point near the weights and lets another optimizer step with it; finds flat minima.
/// </summary>
/// <remarks>
/// Foret et al., 2021, https://arxiv.org/abs/2010.01412. A step needs two gradients: <c>backward</c>, <see cref="Climb"/>,
/// <see cref="ZeroGrad"/>, <c>backward</c> again, <see cref="Step()"/>; or <see cref="Step(Action)"/>, which does all of it.
/// State is the inner optimizer's.
/// </remarks>
public sealed class Sam : Optimizer
{
    private static readonly TorchScript Script = new("Sam.py");

    private readonly List<Parameter> parameters;
    private readonly Optimizer inner;
    private readonly SamOptions options;
    private readonly List<(Parameter Parameter, Tensor Before)> climbed = [];

    /// <param name="parameters">What the inner optimizer trains.</param>
    /// <param name="inner">What steps, such as a <see cref="FusedSgd"/>; is disposed with this.</param>
    /// <param name="options">Settings.</param>
    /// <exception cref="ArgumentException">Settings out of range.</exception>
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
    /// Moves the weights to where the loss is worst near by, along the gradient; the next gradient is to be taken there.
    /// </summary>
    /// <exception cref="InvalidOperationException">They are there already.</exception>
    public void Climb()
    {
        if (climbed.Count > 0) throw new InvalidOperationException("Climb() was called twice without a Step().");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var moving = parameters.Where(parameter => parameter.grad is not null).ToList();
        if (moving.Count == 0) return;
        var before = (Tensor[])Script.Call("climb", (Tensor[])[.. moving],
            (Tensor[])[.. moving.Select(parameter => parameter.grad!)], options.Rho, options.Adaptive);
        climbed.AddRange(moving.Zip(before.Select(tensor => tensor.DetachFromDisposeScope())));
    }

    /// <summary>
    /// Moves the weights back to where they were before <see cref="Climb"/>, and steps from there with the gradient they hold.
    /// </summary>
    public override void Step()
    {
        Return();
        inner.Step();
    }

    /// <summary>A whole step with two gradients.</summary>
    /// <param name="gradients">Computes the loss and its gradients at the present weights, from none.</param>
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
    /// <exception cref="InvalidOperationException">
    /// The weights are away from where they belong, between <see cref="Climb"/> and <see cref="Step()"/>.
    /// </exception>
    public override IReadOnlyDictionary<string, Tensor> State() => climbed.Count == 0 ? inner.State()
        : throw new InvalidOperationException("There is no state between Climb() and Step().");

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
