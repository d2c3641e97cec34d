using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Some examples together: what a model gets and what it should say.</summary>
/// <param name="Inputs">[batch, ...].</param>
/// <param name="Targets">[batch, ...].</param>
/// <param name="Mask">Int64 of the inputs' shape: 1 for an input, 0 for padding; null where nothing is padded.</param>
public sealed record Batch(Tensor Inputs, Tensor Targets, Tensor? Mask = null) : IDisposable
{
    /// <summary>The same examples on another device; this batch is disposed if it had to move.</summary>
    public Batch To(Device device)
    {
        if (Inputs.device.ToString() == device.ToString()) return this;
        var moved = new Batch(Inputs.to(device), Targets.to(device), Mask?.to(device));
        Dispose();
        return moved;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Inputs.Dispose();
        Targets.Dispose();
        Mask?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"batch of inputs {Inputs.ShapeText()} and targets {Targets.ShapeText()}";
}

/// <summary>Examples that can be fetched by number, from any thread.</summary>
public interface IExamples
{
    /// <summary>Number of examples.</summary>
    long Count { get; }

    /// <summary>The examples of these numbers as a batch, on the CPU, which then belongs to the caller.</summary>
    Batch Fetch(IReadOnlyList<long> numbers);
}
