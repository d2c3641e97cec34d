using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// The rounded weights of a model beside the model, so that it is changed only when all of them are there.
/// </summary>
/// <remarks>The codes take about a quarter of the memory of the weights.</remarks>
internal sealed class RoundedLayers : IDisposable
{
    private readonly List<RoundedLayer> layers = [];
    private WeightFolding? folding;

    private RoundedLayers()
    {
    }

    /// <summary>The layers in the order of the module tree.</summary>
    public IReadOnlyList<RoundedLayer> All => layers;

    /// <summary>Rounds the layers that a plan chooses; the model stays as it is.</summary>
    /// <inheritdoc cref="Quantization.Simulate"/>
    public static RoundedLayers Of(nn.Module model, QuantizationPlan plan, Calibration? calibration,
        IProgress<QuantizedLayer>? progress, CancellationToken cancellation)
    {
        var rounded = new RoundedLayers();
        try
        {
            var chosen = plan.Choose(model, calibration);
            if (plan.Scaling is not null)
                rounded.folding = WeightFolding.Find(model, plan.Scaling,
                    chosen.ToDictionary(layer => layer.Name, layer => layer.Scheme), calibration);
            foreach (var (name, layer, scheme) in chosen)
            {
                cancellation.ThrowIfCancellationRequested();
                var one = rounded.Round(name, layer, scheme, plan.Rounding, calibration?.Moments.GetValueOrDefault(name));
                rounded.layers.Add(one);
                progress?.Report(one.Report);
            }
            return rounded;
        }
        catch
        {
            rounded.Dispose();
            throw;
        }
    }

    /// <summary>Moves the factors of the plan's scaling into everything but the rounded weights.</summary>
    public void Fold() => folding?.Apply(layers.Select(layer => layer.Name).ToHashSet());

    public void Dispose()
    {
        folding?.Dispose();
        foreach (var layer in layers) layer.Weight.Dispose();
    }

    private RoundedLayer Round(
        string name, IQuantizableLayer layer, QuantizationScheme scheme, Rounding rounding, InputMoments? inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var matrix = folding is not null && layer.Module is IAdaptableLayer ? folding.WeightOf(name)
            : layer.Matrix().detach().to(ScalarType.Float32);
        using var divided = inputs is null ? null : folding?.MomentsOf(name, inputs);
        inputs = divided ?? inputs;
        var made = Named(name, () => rounding.Quantize(matrix, scheme, inputs));
        var change = made.Dequantize() - matrix;
        var error = (change.norm() / matrix.norm().clamp_(min: 1e-30)).item<float>();
        double? output = inputs is { Rows: > 0, HasSecondMoment: true } seen
            ? Math.Sqrt(Math.Max(0, seen.Energy(change)) / Math.Max(1e-30, seen.Energy(matrix))) : null;
        return new RoundedLayer(name, layer, made,
            new QuantizedLayer(name, matrix.numel(), scheme, made.BitsPerWeight, error, output));
    }

    /// <summary>Puts the layer's name before a message.</summary>
    internal static T Named<T>(string name, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ArgumentException error)
        {
            throw new ArgumentException($"{name}: {error.Message}", error);
        }
    }
}

/// <summary>A layer with its rounded weight.</summary>
internal sealed record RoundedLayer(string Name, IQuantizableLayer Layer, QuantizedTensor Weight, QuantizedLayer Report);
