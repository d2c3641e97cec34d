using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Parameters that a step moves alike: of one group, dtype, device, kind of state, rough size and number of steps so far.
/// </summary>
/// <remarks>All lists are of one length; entry i of each belongs to parameter i.</remarks>
public sealed class ParameterBatch
{
    private readonly IReadOnlyList<TrainedParameter> trained;
    private readonly Dictionary<string, Tensor[]> states = [];

    internal ParameterBatch(IReadOnlyList<TrainedParameter> trained, Tensor[] gradients)
    {
        this.trained = trained;
        Names = [.. trained.Select(one => one.Name)];
        Parameters = [.. trained.Select(one => one.Parameter)];
        Gradients = gradients;
    }

    /// <summary>What they are called.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether each is too small for several threads.</summary>
    internal bool AreSmall => trained[0].IsSmall;

    /// <summary>What is moved, in place.</summary>
    public Tensor[] Parameters { get; }

    /// <summary>Along what.</summary>
    public Tensor[] Gradients { get; internal set; }

    /// <summary>The rate of this step for them.</summary>
    public double LearningRate { get; internal set; }

    /// <summary>Their weight decay.</summary>
    public double WeightDecay { get; internal set; }

    /// <summary>How many steps they have made with this one: 1 at the first.</summary>
    public long Step => trained[0].Step;

    /// <summary>What the optimizer remembers of each under a name, to be changed in place.</summary>
    /// <exception cref="KeyNotFoundException">The optimizer keeps no state of that name.</exception>
    public Tensor[] State(string name)
    {
        if (!states.TryGetValue(name, out var found)) states[name] = found = [.. trained.Select(one => one[name])];
        return found;
    }

    /// <summary>
    /// Whether the optimizer remembers something under that name of these; of all parameters of one shape of state alike.
    /// </summary>
    public bool Has(string name) => trained[0].Has(name);

    /// <summary>Whether these are the same ones.</summary>
    internal bool Are(IReadOnlyList<TrainedParameter> others) => trained.SequenceEqual(others);
}
