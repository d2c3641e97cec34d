using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Quantizes the linear layers of a model.</summary>
public static partial class Quantization
{
    /// <summary>
    /// Replaces the weights of a model by the numbers that their codes stand for, so that its loss is that of the quantized
    /// model. The weights stay float32: memory and speed are those of the original.
    /// </summary>
    /// <param name="model">A model of the kit, or one with <c>Dense</c> layers; changed in place.</param>
    /// <param name="plan">Which layers, and how; null for 8 bits and rounding to nearest.</param>
    /// <param name="calibration">What the layers read; for errors of the outputs, and for methods that need it.</param>
    /// <param name="progress">Told of each layer; may throw to stop between two layers.</param>
    /// <returns>What became of each layer.</returns>
    /// <exception cref="ArgumentException">
    /// The plan chooses no layer, a scheme does not fit a layer, a method lacks calibration, or a weight is not finite. Where the
    /// first is found before any layer is changed, the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed or has adapters.</exception>
    public static QuantizationReport Simulate(
        nn.Module model, QuantizationPlan? plan = null, Calibration? calibration = null, Action<QuantizedLayer>? progress = null)
    {
        plan ??= new();
        var layers = Chosen(model, plan, calibration);
        var done = new List<QuantizedLayer>();
        foreach (var (name, layer, scheme) in layers)
        {
            done.Add(Replace(name, layer, scheme, plan.Rounding, calibration?.Moments.GetValueOrDefault(name)));
            progress?.Invoke(done[^1]);
        }
        var all = model.parameters().Sum(parameter => parameter.numel());
        return new QuantizationReport(done, all - done.Sum(layer => layer.Weights));
    }

    private static List<(string Name, IAdaptableLayer Layer, QuantizationScheme Scheme)> Chosen(
        nn.Module model, QuantizationPlan plan, Calibration? calibration)
    {
        Packing.Refuse(model, "quantized");
        var chosen = new List<(string, IAdaptableLayer, QuantizationScheme)>();
        foreach (var (name, module) in model.named_modules())
        {
            if (module is not IAdaptableLayer layer || plan.SchemeOf(name) is not { } scheme) continue;
            if (layer.Adapter is not null)
                throw new InvalidOperationException($"{name} has an adapter; merge it into a plain model first.");
            scheme.Check();
            using var matrix = layer.Matrix();
            try
            {
                scheme.GroupsOf(matrix.shape[1]);
                if (plan.Rounding.NeedsInputs)
                    HessianFactor.Hessian(matrix, calibration?.Moments.GetValueOrDefault(name), plan.Rounding.GetType().Name);
            }
            catch (ArgumentException error)
            {
                throw new ArgumentException($"{name}: {error.Message}", error);
            }
            chosen.Add((name, layer, scheme));
        }
        return chosen.Count > 0 ? chosen
            : throw new ArgumentException("The plan chooses no linear layer of the model.", nameof(plan));
    }

    private static QuantizedLayer Replace(
        string name, IAdaptableLayer layer, QuantizationScheme scheme, Rounding rounding, InputMoments? inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var matrix = layer.Matrix();
        using var made = rounding.Quantize(matrix, scheme, inputs);
        var numbers = made.Dequantize();
        var change = (numbers - matrix).to(ScalarType.Float32);
        var error = (change.norm() / matrix.to(ScalarType.Float32).norm().clamp_(min: 1e-30)).item<float>();
        double? output = inputs is { Rows: > 0 } seen
            ? Math.Sqrt(Energy(change, seen) / Math.Max(1e-30, Energy(matrix.to(ScalarType.Float32), seen))) : null;
        matrix.copy_(numbers);
        return new QuantizedLayer(name, matrix.numel(), scheme, made.BitsPerWeight, error, output);
    }

    /// <summary>Mean of |W x|² over the calibration data: the trace of W M Wᵀ with the inputs' second moment M.</summary>
    private static double Energy(Tensor weight, InputMoments inputs) =>
        (weight.matmul(inputs.SecondMoment) * weight).sum().item<float>();
}
