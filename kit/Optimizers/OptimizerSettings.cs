using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings that every optimizer of the kit has.</summary>
public abstract record OptimizerSettings
{
    /// <summary>Size of a step.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>How strongly parameters are drawn to zero, where <see cref="Decays"/> says so.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// Which parameters decay, by name and value; by default all, as in PyTorch. See <see cref="ParameterRules"/>.
    /// </summary>
    public Func<string, Tensor, bool> Decays { get; init; } = ParameterRules.All;

    /// <summary>
    /// Parameters with a rate or decay of their own; each belongs to the first group that holds it, or to none.
    /// </summary>
    public IReadOnlyList<ParameterGroup> Groups { get; init; } = [];

    /// <summary>The optimizer with these settings.</summary>
    /// <param name="parameters">What is trained, such as <c>model.named_parameters()</c>.</param>
    /// <exception cref="ArgumentException">No parameter, one of them twice, or settings out of range.</exception>
    public abstract Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters);

    /// <summary>Whether the learning rate is another than the method's own, so that somebody chose it.</summary>
    internal bool HasChosenRate => ((OptimizerSettings)Activator.CreateInstance(GetType())!).LearningRate != LearningRate;

    /// <summary>Refuses settings out of range.</summary>
    /// <exception cref="ArgumentException">Says the value and what it must be.</exception>
    protected internal virtual void Check()
    {
        Require.NotNegative(LearningRate);
        Require.NotNegative(WeightDecay);
        foreach (var group in Groups) group.Check();
    }
}
