using ResearchKit.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>How a model was packed for inference.</summary>
/// <param name="DType">Of the weights that multiply.</param>
/// <param name="Layers">The packed layers.</param>
public sealed record Packing(ScalarType DType, IReadOnlyList<PackedLayer> Layers)
{
    /// <summary>What the packed weights take in memory.</summary>
    public long Bytes => Layers.Sum(layer => layer.Bytes);

    /// <inheritdoc/>
    public override string ToString() => $"{Layers.Count} packed layers, {Bytes / 1e6:F1} MB of {DType} weights: "
        + string.Join("; ", Layers.GroupBy(layer => layer.Kernel).Select(group => $"{group.Count()} by {group.Key}"));

    /// <summary>How this model was packed; null for an ordinary model.</summary>
    internal static Packing? Of(nn.Module model)
    {
        var packed = model.named_modules().Where(pair => pair.module is PackedWeight)
            .Select(pair => (pair.name, Weight: (PackedWeight)pair.module)).ToList();
        return packed.Count == 0 ? null : new Packing(packed[0].Weight.DType,
            [.. packed.Select(pair => new PackedLayer(pair.name[..Math.Max(0, pair.name.LastIndexOf('.'))],
                pair.Weight.Kernel, pair.Weight.Bytes))]);
    }

    /// <summary>Refuses a packed model.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="what">What cannot be done with it, as in "trained".</param>
    /// <exception cref="InvalidOperationException">It was packed.</exception>
    internal static void Refuse(nn.Module model, string what)
    {
        if (model.modules().Any(module => module is PackedWeight)) throw Refusal(what);
    }

    /// <summary>The one sentence.</summary>
    internal static InvalidOperationException Refusal(string what) =>
        new($"A model that is packed for inference cannot be {what}; use the original.");

    /// <summary>Takes the numbers of a parameter away; its shape and device stay.</summary>
    internal static void Empty(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        NativeTensors.Assign(parameter, full(new long[parameter.dim()].Select(_ => 1L).ToArray(), double.NaN, parameter.dtype,
            parameter.device).expand(parameter.shape));
    }
}

/// <summary>A layer of a packed model.</summary>
/// <param name="Name">Its place in the module tree.</param>
/// <param name="Kernel">What multiplies.</param>
/// <param name="Bytes">What its weight takes in memory.</param>
public sealed record PackedLayer(string Name, string Kernel, long Bytes);
