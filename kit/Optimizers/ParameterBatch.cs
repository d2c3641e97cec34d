using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// Parameters that are updated together: of the same group, dtype, device, kind of state, rough size and number
/// of steps so far.
/// </summary>
/// <remarks>All lists have the same length; entry i of each belongs to parameter i.</remarks>
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

    /// <summary>Names of the parameters.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether each parameter is too small for several threads.</summary>
    internal bool AreSmall => trained[0].IsSmall;

    /// <summary>Parameters to update in place.</summary>
    public Tensor[] Parameters { get; }

    /// <summary>Gradients of the parameters.</summary>
    public Tensor[] Gradients { get; internal set; }

    /// <summary>Learning rate of this step.</summary>
    public double LearningRate { get; internal set; }

    /// <summary>Weight decay of the parameters.</summary>
    public double WeightDecay { get; internal set; }

    /// <summary>Number of steps of these parameters, including the current one: 1 at the first.</summary>
    public long Step => trained[0].Step;

    /// <summary>Returns the state tensors of that name, one for each parameter, to be updated in place.</summary>
    /// <exception cref="KeyNotFoundException">The optimizer has no state of that name.</exception>
    public Tensor[] State(string name)
    {
        if (!states.TryGetValue(name, out var found)) states[name] = found = [.. trained.Select(one => one[name])];
        return found;
    }

    /// <summary>
    /// Whether these parameters have a state tensor of that name. Parameters with different state tensors are in
    /// different batches.
    /// </summary>
    public bool Has(string name) => trained[0].Has(name);

    /// <summary>Whether the batch consists of the given parameters.</summary>
    internal bool Are(IReadOnlyList<TrainedParameter> others) => trained.SequenceEqual(others);
}
