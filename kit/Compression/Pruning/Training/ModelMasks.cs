using ResearchKit.Checkpoints;
using ResearchKit.Layers;
using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Which weights of a model are pruned: a mask for each of its pruned parameters, true where a weight is zero.</summary>
public sealed class ModelMasks : IDisposable
{
    private readonly Dictionary<string, Tensor> masks;

    /// <param name="masks">bool tensors by the names of parameters; this object disposes them.</param>
    public ModelMasks(IReadOnlyDictionary<string, Tensor> masks)
    {
        ArgumentNullException.ThrowIfNull(masks);
        this.masks = masks.ToDictionary(pair => pair.Key, pair => pair.Value.DetachFromDisposeScope());
    }

    /// <summary>Masks by the names of the parameters.</summary>
    public IReadOnlyDictionary<string, Tensor> Masks => masks;

    /// <summary>Weights that the masks cover.</summary>
    public long Weights => masks.Values.Sum(mask => mask.numel());

    /// <summary>Weights that are pruned.</summary>
    public long Pruned => masks.Values.Sum(mask =>
    {
        using var sum = mask.sum();
        return sum.item<long>();
    });

    /// <summary>Prunes the smallest weights by magnitude.</summary>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="share">0 to 1.</param>
    /// <param name="global">
    /// Whether the share is of all layers together, so that layers keep different shares; false for the share in each layer.
    /// </param>
    /// <param name="filter">Chooses parameters by name; null for the weights of linear layers and convolutions, without
    /// heads.</param>
    /// <exception cref="ArgumentException">The share is out of range, or the filter chooses no parameter.</exception>
    public static ModelMasks Magnitude(nn.Module model, double share, bool global = false, Func<string, bool>? filter = null) =>
        Of(model, share, global, filter, PruningScores.Magnitude);

    /// <summary>Prunes random weights: the baseline of every other mask.</summary>
    /// <inheritdoc cref="Magnitude"/>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="share">Share of each layer, 0 to 1.</param>
    /// <param name="seed">Seed; the same seed gives the same masks.</param>
    /// <param name="filter">Chooses parameters by name; null for the weights of linear layers and convolutions, without
    /// heads.</param>
    public static ModelMasks Random(nn.Module model, double share, ulong seed, Func<string, bool>? filter = null)
    {
        var layer = 0UL;
        return Of(model, share, false, filter, weight => PruningScores.Random(weight, seed + layer++));
    }

    /// <summary>Returns the zeros of a model that was pruned before, such as one that was loaded from a file.</summary>
    /// <inheritdoc cref="Magnitude"/>
    /// <param name="model">The model; it is not changed.</param>
    /// <param name="filter">Chooses parameters by name; null for the weights of linear layers and convolutions, without
    /// heads.</param>
    public static ModelMasks OfZeros(nn.Module model, Func<string, bool>? filter = null)
    {
        using var noGrad = no_grad();
        return new(Chosen(model, filter).ToDictionary(pair => pair.Key, pair => pair.Value.eq(0)));
    }

    /// <summary>Reads masks from a file.</summary>
    /// <param name="path">A file that <see cref="Save"/> wrote.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor is not bool.</exception>
    public static ModelMasks Load(string path)
    {
        var masks = new ModelMasks(SafetensorsFile.Read(path));
        foreach (var (name, mask) in masks.Masks)
            if (mask.dtype != ScalarType.Bool)
            {
                masks.Dispose();
                throw new InvalidDataException($"{path} is not a file of masks: {name} is {mask.dtype}; expected Bool.");
            }
        return masks;
    }

    /// <summary>Writes the masks as safetensors.</summary>
    public void Save(string path) => SafetensorsFile.Write(path, masks);

    /// <summary>Sets the pruned weights of a model to zero.</summary>
    /// <param name="model">The model that the masks are for.</param>
    /// <exception cref="ArgumentException">The masks are of another model, which stays as it is.</exception>
    public void Apply(nn.Module model)
    {
        using var noGrad = no_grad();
        foreach (var (parameter, mask) in On(model)) parameter.masked_fill_(mask, 0);
    }

    /// <summary>The parameters of a model with their masks.</summary>
    /// <exception cref="ArgumentException">The masks are of another model.</exception>
    internal List<(Parameter Parameter, Tensor Mask)> On(nn.Module model)
    {
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        return [.. masks.Select(pair => !parameters.TryGetValue(pair.Key, out var parameter)
            ? throw new ArgumentException($"The masks are of another model: {model.GetName()} has no parameter {pair.Key}.",
                nameof(model))
            : parameter.shape.SequenceEqual(pair.Value.shape) && pair.Value.dtype == ScalarType.Bool ? (parameter, pair.Value)
            : throw new ArgumentException($"The masks are of another model: the mask of {pair.Key} is {pair.Value.dtype} "
                + $"{pair.Value.ShapeText()}, the parameter of {model.GetName()} is {parameter.ShapeText()}.", nameof(model)))];
    }

    /// <summary>The parameters that are pruned, by name.</summary>
    internal static Dictionary<string, Tensor> Chosen(nn.Module model, Func<string, bool>? filter)
    {
        ArgumentNullException.ThrowIfNull(model);
        var chosen = filter is null
            ? model.named_modules().Where(pair => pair.module is IAdaptableLayer or Convolution2d or Linear or Conv2d
                && !HeadNames.Has(pair.name)).Select(pair => $"{pair.name}.weight").ToHashSet().Contains
            : filter;
        var parameters = model.named_parameters().Where(pair => chosen(pair.name))
            .ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        return parameters.Count > 0 ? parameters
            : throw new ArgumentException("The filter chooses no parameter of the model.", nameof(filter));
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Pruned:N0} of {Weights:N0} weights pruned ({(double)Pruned / Math.Max(1, Weights):P1}) "
        + $"in {masks.Count} parameters";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var mask in masks.Values) mask.Dispose();
    }

    private static ModelMasks Of(nn.Module model, double share, bool global, Func<string, bool>? filter,
        Func<Tensor, Tensor> score)
    {
        using var scope = NewDisposeScope();
        var scores = Chosen(model, filter).ToDictionary(pair => pair.Key, pair => score(pair.Value));
        return new(global ? PruningMask.Global(scores, share)
            : scores.ToDictionary(pair => pair.Key, pair => PruningMask.Share(pair.Value, share)));
    }
}
