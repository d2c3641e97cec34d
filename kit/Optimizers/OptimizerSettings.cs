using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Settings that every optimizer of the kit has.</summary>
public abstract record OptimizerSettings
{
    /// <summary>Learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Weight decay of the parameters that <see cref="Decays"/> selects.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// Which parameters have weight decay, by name and value; by default all, as in PyTorch. See
    /// <see cref="ParameterRules"/>.
    /// </summary>
    public Func<string, Tensor, bool> Decays { get; init; } = ParameterRules.All;

    /// <summary>
    /// Parameter groups with their own learning-rate factor or weight decay. A parameter belongs to the first group
    /// that contains it, or to none.
    /// </summary>
    public IReadOnlyList<ParameterGroup> Groups { get; init; } = [];

    /// <summary>Creates the optimizer with these settings.</summary>
    /// <param name="parameters">Parameters to optimize, such as <c>model.named_parameters()</c>.</param>
    /// <exception cref="ArgumentException">There is no parameter, a parameter occurs twice, or a setting is out of
    /// range.</exception>
    public abstract Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters);

    /// <summary>Whether the learning rate is another than the method's own, so that somebody chose it.</summary>
    internal bool HasChosenRate => ((OptimizerSettings)Activator.CreateInstance(GetType())!).LearningRate != LearningRate;

    /// <summary>Throws if a setting is out of range.</summary>
    /// <exception cref="ArgumentException">A setting is out of range; the message names its value and the expected
    /// range.</exception>
    protected internal virtual void Check()
    {
        Require.NotNegative(LearningRate);
        Require.NotNegative(WeightDecay);
        foreach (var group in Groups) group.Check();
    }
}
