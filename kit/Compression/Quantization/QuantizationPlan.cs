using System.IO.Enumeration;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Which layers of a model are quantized, and how.</summary>
public sealed record QuantizationPlan
{
    /// <summary>The grid.</summary>
    public QuantizationScheme Scheme { get; init; } = QuantizationScheme.EightBits;

    /// <summary>How codes are chosen.</summary>
    public Rounding Rounding { get; init; } = Rounding.Nearest;

    /// <summary>
    /// Moves factors from inputs into weights before rounding: <see cref="Awq"/> or <see cref="SmoothQuant"/>; null for none.
    /// </summary>
    public InputScaling? Scaling { get; init; }

    /// <summary>
    /// Grids of layers by name, <c>*</c> for any text; null leaves a layer as it is. The first that fits counts:
    /// <c>[("*.mlp.*", QuantizationScheme.FourBits())]</c>.
    /// </summary>
    public IReadOnlyList<(string Names, QuantizationScheme? Scheme)> Overrides { get; init; } = [];

    /// <summary>Whether heads are quantized too (<c>head</c>, <c>classifier</c>, <c>pooler</c>); people leave them out.</summary>
    public bool IncludesHeads { get; init; }

    /// <summary>Whether an override names a layer.</summary>
    internal bool Names(string name) =>
        Overrides.Any(one => FileSystemName.MatchesSimpleExpression(one.Names, name, ignoreCase: false));

    /// <summary>The grid of a layer; null where it stays as it is.</summary>
    public QuantizationScheme? SchemeOf(string name)
    {
        foreach (var (names, scheme) in Overrides)
            if (FileSystemName.MatchesSimpleExpression(names, name, ignoreCase: false)) return scheme;
        return HeadNames.Has(name) && !IncludesHeads ? null : Scheme;
    }

    /// <summary>The layers that the plan chooses; nothing is changed.</summary>
    /// <exception cref="ArgumentException">It chooses none, or a scheme or the calibration does not fit one.</exception>
    /// <exception cref="InvalidOperationException">The model is packed or has adapters.</exception>
    internal IReadOnlyList<(string Name, IQuantizableLayer Layer, QuantizationScheme Scheme)> Choose(
        nn.Module model, Calibration? calibration, bool checksInputs = true)
    {
        Packing.Refuse(model, "quantized");
        var chosen = new List<(string, IQuantizableLayer, QuantizationScheme)>();
        foreach (var (name, layer) in IQuantizableLayer.Of(model))
        {
            if ((layer.IsTable && !IncludesHeads && !Names(name)) || SchemeOf(name) is not { } scheme) continue;
            if (layer.Adapter is not null)
                throw new InvalidOperationException($"{name} has an adapter; merge it into a plain model first.");
            if (layer.Module is IAdaptableLayer { TrainingScheme: not null })
                throw new InvalidOperationException("The model is prepared for quantization-aware training; convert it first.");
            RoundedLayers.Named(name, () => Check(layer, scheme, checksInputs, calibration?.Moments.GetValueOrDefault(name)));
            chosen.Add((name, layer, scheme));
        }
        return chosen.Count > 0 ? chosen
            : throw new ArgumentException("The plan chooses no linear layer or convolution of the model.");
    }

    /// <summary>Checks the scheme of a layer, and what was seen of its inputs if asked to.</summary>
    internal int Check(IQuantizableLayer layer, QuantizationScheme scheme, bool checksInputs, InputMoments? inputs)
    {
        scheme.Check();
        Rounding.Check(scheme);
        using var matrix = layer.Matrix();
        if (checksInputs && Rounding.NeedsInputs) InputMoments.Required(matrix, inputs, Rounding.GetType().Name);
        return scheme.GroupsOf(matrix.shape[1]);
    }
}
