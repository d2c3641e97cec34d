using System.Text;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>A layer that was quantized.</summary>
/// <param name="Name">Its place in the module tree.</param>
/// <param name="Weights">Number of its weights.</param>
/// <param name="Scheme">The grid.</param>
/// <param name="BitsPerWeight">Bits of a weight with its share of the scales and zero points.</param>
/// <param name="WeightError">Norm of the change over the norm of the weight.</param>
/// <param name="OutputError">
/// The same of the layer's output, without the bias, on the calibration data; null without calibration.
/// </param>
public sealed record QuantizedLayer(
    string Name, long Weights, QuantizationScheme Scheme, double BitsPerWeight, double WeightError, double? OutputError)
{
    /// <summary>Bytes of codes, scales (16 bits each) and zero points.</summary>
    public double Bytes => Weights * BitsPerWeight / 8;
}

/// <summary>What quantizing a model did to each layer.</summary>
/// <param name="Layers">The quantized layers in the order of the module tree.</param>
/// <param name="OtherWeights">Parameters of the model that stay as they are.</param>
public sealed record QuantizationReport(IReadOnlyList<QuantizedLayer> Layers, long OtherWeights)
{
    /// <summary>Describes a model whose layers were quantized.</summary>
    internal static QuantizationReport Of(nn.Module model, IEnumerable<QuantizedLayer> layers)
    {
        var quantized = layers.ToList();
        return new QuantizationReport(quantized,
            model.parameters().Sum(parameter => parameter.numel()) - quantized.Sum(layer => layer.Weights));
    }

    /// <summary>Mean bits of the quantized weights, with scales and zero points.</summary>
    public double BitsPerWeight => Layers.Sum(layer => layer.Bytes) * 8 / Layers.Sum(layer => layer.Weights);

    /// <summary>Bytes of the quantized layers' codes and scales.</summary>
    public double Bytes => Layers.Sum(layer => layer.Bytes);

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(FormattableString.Invariant(
            $"{Layers.Count} layers quantized to {BitsPerWeight:0.##} bits a weight, {Bytes / 1e6:0.##} MB"));
        text.AppendLine(FormattableString.Invariant($"; {OtherWeights:N0} other parameters"));
        foreach (var layer in Layers)
            text.AppendLine(FormattableString.Invariant(
                $"{layer.Name}: {layer.Scheme}, weight off by {layer.WeightError:p2}{Output(layer)}"));
        return text.ToString();
    }

    private static string Output(QuantizedLayer layer) =>
        layer.OutputError is { } error ? FormattableString.Invariant($", output by {error:p2}") : "";
}
