using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>A parameter with its optimizer state.</summary>
internal sealed class TrainedParameter(string name, Parameter parameter, IEnumerable<(string Name, Tensor Value)> state)
    : IDisposable
{
    private readonly Dictionary<string, Tensor> state = state
        .ToDictionary(pair => pair.Name, pair => pair.Value.DetachFromDisposeScope());
    private readonly Tensor count = zeros([], float32, parameter.device).DetachFromDisposeScope();

    public string Name { get; } = name;
    public Parameter Parameter { get; } = parameter;

    /// <summary>
    /// Whether the parameter is on the CPU and too small for several threads: smaller than the size from which
    /// other operations of libtorch use them.
    /// </summary>
    public bool IsSmall { get; } = parameter.device_type == DeviceType.CPU && parameter.numel() < 32_768;

    /// <summary>Number of steps of this parameter.</summary>
    public long Step { get; set; }

    /// <summary>Names of the state tensors, as one text.</summary>
    public string StateNames => string.Join(", ", state.Keys);

    public Tensor this[string stateName] => state.TryGetValue(stateName, out var found) ? found
        : throw new KeyNotFoundException($"There is no state {stateName} of {Name}; expected one of {StateNames}.");

    public bool Has(string stateName) => state.ContainsKey(stateName);

    public IEnumerable<KeyValuePair<string, Tensor>> State()
    {
        using Scalar steps = (double)Step;
        count.fill_(steps);
        return state.Select(pair => KeyValuePair.Create($"{Name}.{pair.Key}", pair.Value)).Prepend(new($"{Name}.step", count));
    }

    /// <summary>Reads the number of steps from its state tensor, after a saved one was copied into it.</summary>
    public void ReadStep() => Step = (long)count.item<float>();

    public void Dispose()
    {
        count.Dispose();
        foreach (var tensor in state.Values) tensor.Dispose();
    }
}
