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
    /// <param name="progress">Receives each layer when it is rounded.</param>
    /// <param name="cancellation">Cancels between two layers.</param>
    /// <returns>What became of each layer.</returns>
    /// <exception cref="ArgumentException">
    /// The plan chooses no layer, a scheme does not fit a layer, a method lacks calibration or cannot use it, or a weight is not
    /// finite; the model is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed or has adapters.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the model is as it was.</exception>
    public static QuantizationReport Simulate(nn.Module model, QuantizationPlan? plan = null, Calibration? calibration = null,
        IProgress<QuantizedLayer>? progress = null, CancellationToken cancellation = default)
    {
        using var rounded = RoundedLayers.Of(model, plan ?? new(), calibration, progress, cancellation);
        using var noGrad = no_grad();
        foreach (var layer in rounded.All)
        {
            using var scope = NewDisposeScope();
            layer.Layer.Matrix().copy_(layer.Weight.Dequantize());
        }
        rounded.Fold();
        return QuantizationReport.Of(model, rounded.All.Select(layer => layer.Report));
    }
}
