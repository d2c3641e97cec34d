using ResearchKit.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>How a model was packed for inference.</summary>
/// <param name="DType">Dtype of the packed weights.</param>
/// <param name="Layers">The packed layers.</param>
public sealed record Packing(ScalarType DType, IReadOnlyList<PackedLayer> Layers)
{
    /// <summary>Memory of the packed weights, in bytes.</summary>
    public long Bytes => Layers.Sum(layer => layer.Bytes);

    /// <inheritdoc/>
    public override string ToString() => $"{Layers.Count} packed layers, {Bytes / 1e6:F1} MB of {DType} weights: "
        + string.Join("; ", Layers.GroupBy(layer => layer.Kernel).Select(group => $"{group.Count()} by {group.Key}"));

    /// <summary>Describes how a model was packed; returns null for an ordinary model.</summary>
    internal static Packing? Of(nn.Module model)
    {
        var packed = model.named_modules().Where(pair => pair.module is PackedWeight)
            .Select(pair => (pair.name, Weight: (PackedWeight)pair.module)).ToList();
        return packed.Count == 0 ? null : new Packing(packed[0].Weight.DType,
            [.. packed.Select(pair => new PackedLayer(pair.name[..Math.Max(0, pair.name.LastIndexOf('.'))],
                pair.Weight.Kernel, pair.Weight.Bytes))]);
    }

    /// <summary>Throws if a model is packed or quantized.</summary>
    /// <param name="model">Any model.</param>
    /// <param name="what">What a packed model does not support, as a participle such as "trained".</param>
    /// <exception cref="InvalidOperationException">The model is packed or quantized.</exception>
    internal static void Refuse(nn.Module model, string what)
    {
        if (model.modules().OfType<PackedWeight>().FirstOrDefault() is { } packed) throw packed.Refusal(what);
    }

    /// <summary>Creates the exception for an operation that packed models do not support.</summary>
    internal static InvalidOperationException Refusal(string what) =>
        new($"A model that is packed for inference cannot be {what}; use the original.");

    /// <summary>Frees the values of a parameter; its shape and device stay.</summary>
    internal static void Empty(Parameter parameter)
    {
        using var scope = NewDisposeScope();
        NativeTensors.Assign(parameter, full(new long[parameter.dim()].Select(_ => 1L).ToArray(), double.NaN, parameter.dtype,
            parameter.device).expand(parameter.shape));
    }
}

/// <summary>A layer of a packed model.</summary>
/// <param name="Name">Its place in the module tree.</param>
/// <param name="Kernel">Name of the kernel that multiplies.</param>
/// <param name="Bytes">Memory of its weight, in bytes.</param>
public sealed record PackedLayer(string Name, string Kernel, long Bytes);
