using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

public static partial class Quantization
{
    /// <summary>
    /// Prepares a model for quantization-aware training: from now on its linear layers round their weights in every forward pass,
    /// while gradients pass to the weights themselves.
    /// </summary>
    /// <remarks>
    /// Jacob et al., 2017, https://arxiv.org/abs/1712.05877. The weights stay float32 and are trained, saved and loaded as usual.
    /// <see cref="Convert"/> ends it.
    /// </remarks>
    /// <param name="model">A model of the kit, or one with <c>Dense</c> layers.</param>
    /// <param name="plan">Which layers, and their schemes; null for 8 bits. It must round to nearest without scaling.</param>
    /// <returns>Names of the layers that round.</returns>
    /// <exception cref="ArgumentException">
    /// The plan chooses no layer, rounds otherwise than to nearest, or a scheme does not fit a layer; the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is prepared already, is packed, or has adapters.</exception>
    public static IReadOnlyList<string> Prepare(nn.Module model, QuantizationPlan? plan = null)
    {
        plan ??= new();
        if (plan.Rounding is not NearestRounding || plan.Scaling is not null)
            throw new ArgumentException("Training rounds to nearest in every forward pass; the plan has "
                + $"{(plan.Scaling is { } scaling ? scaling.GetType().Name : plan.Rounding.GetType().Name)}.", nameof(plan));
        if (Prepared(model).Count > 0) throw new InvalidOperationException("The model is prepared for training already.");
        var chosen = plan.Choose(model, null).Where(one => one.Layer.Module is IAdaptableLayer).ToList();
        if (chosen.Count == 0)
            throw new ArgumentException("The plan chooses no linear layer of the kit; convolutions are not trained with rounded "
                + "weights.", nameof(plan));
        foreach (var (_, layer, scheme) in chosen) ((IAdaptableLayer)layer.Module).TrainingScheme = scheme;
        return [.. chosen.Select(layer => layer.Name)];
    }

    /// <summary>The codes that the layers of a prepared model round to now, by the names of the layers.</summary>
    /// <returns>The caller disposes them.</returns>
    /// <exception cref="InvalidOperationException">The model is not prepared.</exception>
    public static IReadOnlyDictionary<string, QuantizedTensor> Codes(nn.Module model) =>
        OfPrepared(model).ToDictionary(layer => layer.Name, layer =>
        {
            using var matrix = layer.Layer.Matrix();
            return QuantizedTensor.Round(matrix, layer.Layer.TrainingScheme!);
        });

    /// <summary>
    /// Ends quantization-aware training: replaces each weight by the numbers that it was rounded to, so that the model computes
    /// the same without rounding.
    /// </summary>
    /// <param name="model">A model that <see cref="Prepare"/> prepared; changed in place.</param>
    /// <returns>What became of each layer.</returns>
    /// <exception cref="InvalidOperationException">The model is not prepared.</exception>
    /// <exception cref="ArgumentException">A weight is NaN or infinite; the model is as it was.</exception>
    public static QuantizationReport Convert(nn.Module model)
    {
        var layers = OfPrepared(model);
        var codes = Codes(model);
        using var noGrad = no_grad();
        var done = new List<QuantizedLayer>();
        foreach (var (name, layer) in layers)
        {
            using var scope = NewDisposeScope();
            using var made = codes[name];
            var matrix = layer.Matrix();
            var numbers = made.Dequantize();
            var error = ((numbers - matrix).norm() / matrix.norm().clamp_(min: 1e-30)).item<float>();
            matrix.copy_(numbers);
            layer.TrainingScheme = null;
            done.Add(new QuantizedLayer(name, matrix.numel(), made.Scheme, made.BitsPerWeight, error, null));
        }
        return QuantizationReport.Of(model, done);
    }

    private static List<(string Name, IAdaptableLayer Layer)> OfPrepared(nn.Module model) =>
        Prepared(model) is { Count: > 0 } found ? found
            : throw new InvalidOperationException("The model is not prepared for quantization-aware training.");

    private static List<(string Name, IAdaptableLayer Layer)> Prepared(nn.Module model) =>
        [.. model.named_modules().Where(pair => pair.module is IAdaptableLayer { TrainingScheme: not null })
            .Select(pair => (pair.name, (IAdaptableLayer)pair.module))];
}
