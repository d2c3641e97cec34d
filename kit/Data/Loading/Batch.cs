using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Some examples together: named tensors, of which <c>inputs</c> and <c>targets</c> are always there.</summary>
public sealed class Batch : IDisposable
{
    /// <summary>Names of the tensors that have a property.</summary>
    public const string InputsName = "inputs", TargetsName = "targets", MaskName = "mask";

    private readonly Dictionary<string, Tensor> tensors;

    /// <param name="Inputs">[batch, ...].</param>
    /// <param name="Targets">[batch, ...].</param>
    /// <param name="Mask">int64 of the inputs' shape: 1 for an input, 0 for padding; null where nothing is padded.</param>
    public Batch(Tensor Inputs, Tensor Targets, Tensor? Mask = null)
    {
        tensors = new() { [InputsName] = Inputs, [TargetsName] = Targets };
        if (Mask is not null) tensors[MaskName] = Mask;
    }

    /// <summary>A batch of named tensors, each [batch, ...], such as <c>inputs</c>, <c>lengths</c> and <c>targets</c>.</summary>
    /// <exception cref="ArgumentException"><c>inputs</c> or <c>targets</c> is missing.</exception>
    public Batch(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (!tensors.ContainsKey(InputsName) || !tensors.ContainsKey(TargetsName))
            throw new ArgumentException($"Got the tensors {string.Join(", ", tensors.Keys)}; expected '{InputsName}' and '{TargetsName}' among them.", nameof(tensors));
        this.tensors = new(tensors);
    }

    /// <summary>What the model reads, [batch, ...].</summary>
    public Tensor Inputs => tensors[InputsName];

    /// <summary>What the model should predict, [batch, ...].</summary>
    public Tensor Targets => tensors[TargetsName];

    /// <summary>int64 of the inputs' shape: 1 for an input, 0 for padding; null where nothing is padded.</summary>
    public Tensor? Mask => tensors.GetValueOrDefault(MaskName);

    /// <summary>Names of the tensors.</summary>
    public IEnumerable<string> Names => tensors.Keys;

    /// <summary>One of the tensors by its name, such as <c>batch["lengths"]</c>.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message lists those there are.</exception>
    public Tensor this[string name] => tensors.TryGetValue(name, out var tensor) ? tensor
        : throw new KeyNotFoundException($"The batch has no tensor '{name}'; it has {string.Join(", ", tensors.Keys)}.");

    /// <summary>The same examples on another device. If they have to move, this batch is disposed.</summary>
    public Batch To(Device device)
    {
        if (Inputs.device.ToString() == device.ToString()) return this;
        var moved = new Batch(tensors.ToDictionary(pair => pair.Key, pair => pair.Value.to(device)));
        Dispose();
        return moved;
    }

    /// <summary>Disposes all tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"batch of {string.Join(" and ", tensors.Select(pair => $"{pair.Key} {pair.Value.ShapeText()}"))}";
}

/// <summary>Examples that can be fetched by number, from any thread.</summary>
public interface IExamples
{
    /// <summary>Number of examples.</summary>
    long Count { get; }

    /// <summary>The examples of these numbers as a batch, on the CPU, which then belongs to the caller.</summary>
    Batch Fetch(IReadOnlyList<long> numbers);
}
