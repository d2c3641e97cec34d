using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>
/// A number in the state of an optimizer that belongs to all parameters together, such as Prodigy's <c>d</c>.
/// </summary>
public sealed class StateNumber : IDisposable
{
    private readonly Tensor saved = zeros([], float64).DetachFromDisposeScope();

    internal StateNumber(string name, double value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>Name of the number in the optimizer's state.</summary>
    public string Name { get; }

    /// <summary>Current value.</summary>
    public double Value { get; set; }

    /// <summary>Writes the value into its tensor in the optimizer's state, and returns the tensor.</summary>
    internal Tensor Write()
    {
        using Scalar value = Value;
        return saved.fill_(value);
    }

    /// <summary>Reads the value from its tensor.</summary>
    internal void Read() => Value = saved.item<double>();

    /// <inheritdoc/>
    public void Dispose() => saved.Dispose();
}
