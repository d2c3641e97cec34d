using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Examples in tensors whose first axis is the example index.</summary>
public sealed class TensorExamples : IExamples
{
    private readonly IReadOnlyDictionary<string, Tensor> tensors;

    /// <param name="inputs">[examples, ...].</param>
    /// <param name="targets">[examples, ...].</param>
    /// <exception cref="ArgumentException">The tensors have different numbers of examples.</exception>
    public TensorExamples(Tensor inputs, Tensor targets)
        : this(new Dictionary<string, Tensor> { [Batch.InputsName] = inputs, [Batch.TargetsName] = targets })
    {
    }

    /// <summary>
    /// Makes examples of several named tensors: <c>new(new Dictionary&lt;string, Tensor&gt; { ["inputs"] = frames,
    /// ["lengths"] = lengths, ["targets"] = labels })</c>.
    /// </summary>
    /// <param name="tensors">
    /// Tensors by name, each [examples, ...], among them <c>inputs</c> and <c>targets</c>. The caller keeps
    /// ownership.
    /// </param>
    /// <exception cref="ArgumentException">The tensors have different numbers of examples, or <c>inputs</c> or <c>targets</c> is
    /// missing.</exception>
    public TensorExamples(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        foreach (var name in new[] { Batch.InputsName, Batch.TargetsName })
            if (!tensors.ContainsKey(name))
                throw new ArgumentException($"Got the tensors {string.Join(", ", tensors.Keys)}; expected '{name}' among them.",
                    nameof(tensors));
        var inputs = tensors[Batch.InputsName];
        if (tensors.Values.Any(tensor => tensor.dim() == 0 || inputs.dim() == 0 || tensor.shape[0] != inputs.shape[0]))
            throw new ArgumentException($"Got {string.Join(" and ", tensors.Select(pair => $"{pair.Key} {pair.Value.ShapeText()}"))}; "
                + "expected the same number of examples in each.", nameof(tensors));
        this.tensors = tensors;
        Count = inputs.shape[0];
    }

    /// <inheritdoc/>
    public long Count { get; }

    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        using var rows = tensor(numbers.ToArray());
        return new Batch(tensors.ToDictionary(pair => pair.Key, pair => Select(pair.Value, rows)));
    }

    private static Tensor Select(Tensor all, Tensor rows)
    {
        if (all.device_type == TorchSharp.DeviceType.CPU) return all.index_select(0, rows);
        using var there = rows.to(all.device);
        return all.index_select(0, there);
    }
}
