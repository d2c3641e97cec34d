using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>A batch of examples: named tensors, among them <c>inputs</c> and <c>targets</c>.</summary>
public sealed class Batch : IDisposable
{
    /// <summary>Names of the tensors that also have a property.</summary>
    public const string InputsName = "inputs", TargetsName = "targets", MaskName = "mask";

    private readonly Dictionary<string, Tensor> tensors;

    /// <param name="Inputs">[batch, ...].</param>
    /// <param name="Targets">[batch, ...].</param>
    /// <param name="Mask">
    /// Attention mask, int64 of the inputs' shape: 1 for a token, 0 for padding; null if nothing is padded.
    /// </param>
    public Batch(Tensor Inputs, Tensor Targets, Tensor? Mask = null)
    {
        tensors = new() { [InputsName] = Inputs, [TargetsName] = Targets };
        if (Mask is not null) tensors[MaskName] = Mask;
    }

    /// <summary>
    /// Makes a batch of named tensors, each [batch, ...], such as <c>inputs</c>, <c>lengths</c> and <c>targets</c>.
    /// </summary>
    /// <exception cref="ArgumentException"><c>inputs</c> or <c>targets</c> is missing.</exception>
    public Batch(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (!tensors.ContainsKey(InputsName) || !tensors.ContainsKey(TargetsName))
            throw new ArgumentException($"Got the tensors {string.Join(", ", tensors.Keys)}; expected '{InputsName}' and "
                + $"'{TargetsName}' among them.", nameof(tensors));
        this.tensors = new(tensors);
    }

    /// <summary>Inputs of the model, [batch, ...].</summary>
    public Tensor Inputs => tensors[InputsName];

    /// <summary>Targets of the model, [batch, ...].</summary>
    public Tensor Targets => tensors[TargetsName];

    /// <summary>
    /// Attention mask, int64 of the inputs' shape: 1 for a token, 0 for padding; null if nothing is padded.
    /// </summary>
    public Tensor? Mask => tensors.GetValueOrDefault(MaskName);

    /// <summary>Names of the tensors.</summary>
    public IEnumerable<string> Names => tensors.Keys;

    /// <summary>Returns a tensor by name, such as <c>batch["lengths"]</c>.</summary>
    /// <exception cref="KeyNotFoundException">
    /// The batch has no tensor of that name; the message lists those it has.
    /// </exception>
    public Tensor this[string name] => tensors.TryGetValue(name, out var tensor) ? tensor
        : throw new KeyNotFoundException($"The batch has no tensor '{name}'; it has {string.Join(", ", tensors.Keys)}.");

    /// <summary>Moves the batch to a device. If the tensors have to be copied, this batch is disposed.</summary>
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
    public override string ToString() =>
        $"batch of {string.Join(" and ", tensors.Select(pair => $"{pair.Key} {pair.Value.ShapeText()}"))}";
}

/// <summary>A data set whose examples can be fetched by index, from any thread.</summary>
public interface IExamples
{
    /// <summary>Number of examples.</summary>
    long Count { get; }

    /// <summary>Returns the examples with these indexes as a batch on the CPU, which the caller owns.</summary>
    Batch Fetch(IReadOnlyList<long> numbers);

    /// <summary>
    /// Returns the examples with these indexes for training: as <see cref="Fetch(IReadOnlyList{long})"/>, but for random changes,
    /// which depend on the draws alone.
    /// </summary>
    /// <param name="numbers">Indexes of the examples.</param>
    /// <param name="draws">
    /// How many examples the loader had drawn before each of these, over all epochs: another number each time an example is seen.
    /// </param>
    Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws) => Fetch(numbers);
}
