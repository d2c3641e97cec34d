using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>A number that an optimizer remembers over all its parameters, such as Prodigy's <c>d</c>.</summary>
public sealed class StateNumber : IDisposable
{
    private readonly Tensor saved = zeros([], float64).DetachFromDisposeScope();

    internal StateNumber(string name, double value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>What it is called in the optimizer's state.</summary>
    public string Name { get; }

    /// <summary>What it is now.</summary>
    public double Value { get; set; }

    /// <summary>The tensor that stands for it in the optimizer's state, filled.</summary>
    internal Tensor Write()
    {
        using Scalar value = Value;
        return saved.fill_(value);
    }

    /// <summary>Takes the value from that tensor.</summary>
    internal void Read() => Value = saved.item<double>();

    /// <inheritdoc/>
    public void Dispose() => saved.Dispose();
}
