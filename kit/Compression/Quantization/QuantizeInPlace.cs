using ResearchKit.Layers;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

public static partial class Quantization
{
    private const long NumbersAtOnce = 1 << 18;   // of a weight, so that what rounding needs stays in a cache

    /// <summary>
    /// Replaces the weights of a model by codes that the layers multiply by, in place: a quarter or an eighth of the memory, and
    /// faster. The model then infers only.
    /// </summary>
    /// <remarks>
    /// With weights alone quantized, its loss is that of <see cref="Simulate"/> but for float32 rounding. The layers are the
    /// linear layers and two-dimensional convolutions of the kit and of TorchSharp, and, with
    /// <see cref="QuantizationPlan.IncludesHeads"/> or by name, the embedding table that is the output layer too. Convolutions in
    /// groups stay as they are. TorchSharp's layers must be called by <c>call</c>. The model is left in evaluation mode, and its
    /// parameters no longer ask for gradients. <c>model.Packing</c> lists the kernel of each layer. A convolution whose integer
    /// product is slower on this machine convolves the float32 numbers of its codes, which takes their memory too.
    /// </remarks>
    /// <param name="model">A model on one device; changed in place.</param>
    /// <param name="plan">Which layers, and how; null for 8 bits and rounding to nearest.</param>
    /// <param name="calibration">
    /// What the layers read; needed for static inputs and for some methods, and gives the errors of outputs.
    /// </param>
    /// <param name="progress">Told of each layer when it was rounded.</param>
    /// <param name="cancellation">Stops before the next layer is rounded; the model is then as it was.</param>
    /// <returns>What became of each layer.</returns>
    /// <exception cref="ArgumentException">
    /// The plan chooses no layer, a scheme does not fit a layer, calibration is missing, or a weight is not finite; the model
    /// is as it was.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The model is packed, quantized, or has adapters; it is as it was.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the model is as it was.</exception>
    public static QuantizationReport Quantize(nn.Module model, QuantizationPlan? plan = null, Calibration? calibration = null,
        IProgress<QuantizedLayer>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        plan ??= new();
        Packing.Refuse(model, "quantized");
        var chosen = plan.Choose(model, calibration);
        foreach (var (name, _, scheme) in chosen)
            CheckStatic(name, scheme, calibration?.Moments.GetValueOrDefault(name));
        using var memory = MallocTuning.Keep();
        using var folding = plan.Scaling is null ? null : WeightFolding.Find(model, plan.Scaling,
            chosen.ToDictionary(one => one.Name, one => one.Scheme), calibration);
        var rounded = new List<(IQuantizableLayer Layer, QuantizedTensor Codes, float? InputScale, QuantizedLayer Report)>();
        try
        {
            foreach (var (name, layer, scheme) in chosen)
            {
                cancellation.ThrowIfCancellationRequested();
                var seen = calibration?.Moments.GetValueOrDefault(name);
                using var divided = seen is null ? null : folding?.MomentsOf(name, seen);
                var inputs = divided ?? seen;
                using var matrix = folding is not null && layer.Module is IAdaptableLayer
                    ? folding.WeightOf(name) : layer.Matrix();
                var (codes, report) = Round(name, matrix, scheme, plan.Rounding, inputs);
                rounded.Add((layer, codes, InputScale(scheme, inputs), report));
                progress?.Report(report);
            }
            var all = model.parameters().Sum(parameter => parameter.numel());
            QuantizedModel.Hold(model, rounded.Select(one => (one.Layer, one.Codes, one.InputScale)));
            folding?.Apply(chosen.Select(one => one.Name).ToHashSet());
            return new QuantizationReport([.. rounded.Select(one => one.Report)], all - rounded.Sum(one => one.Report.Weights));
        }
        finally
        {
            foreach (var one in rounded) one.Codes.Dispose();
        }
    }

    /// <summary>Quantizes the layers that a filter chooses by one scheme, rounding to nearest.</summary>
    /// <param name="model">A model on one device; changed in place.</param>
    /// <param name="scheme">How codes are made.</param>
    /// <param name="filter">Chooses layers by name; null for all but heads.</param>
    /// <inheritdoc cref="Quantize(nn.Module, QuantizationPlan, Calibration, IProgress{QuantizedLayer}, CancellationToken)"/>
    public static QuantizationReport Quantize(nn.Module model, QuantizationScheme scheme, Func<string, bool>? filter = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Quantize(model, new QuantizationPlan
        {
            Scheme = scheme,
            Overrides = filter is null ? [] : [.. IQuantizableLayer.Of(model)
                .Select(one => (one.Name, filter(one.Name) ? scheme : null))],
        });
    }

    private static void CheckStatic(string name, QuantizationScheme scheme, InputMoments? inputs)
    {
        if (scheme.Inputs == QuantizedInputs.StaticEightBits && inputs is not { Rows: > 0 })
            throw new ArgumentException($"{name}: Static 8-bit inputs need calibration; calibrate the model with some batches.");
    }

    /// <summary>Scale that the largest input of calibration needs; null where inputs have no fixed scale.</summary>
    private static float? InputScale(QuantizationScheme scheme, InputMoments? inputs)
    {
        if (scheme.Inputs != QuantizedInputs.StaticEightBits) return null;
        using var largest = inputs!.Largest.max();
        return Math.Max(largest.item<float>(), 1e-12f) / sbyte.MaxValue;
    }

    private static (QuantizedTensor Codes, QuantizedLayer Report) Round(
        string name, Tensor matrix, QuantizationScheme scheme, Rounding rounding, InputMoments? inputs)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var isByRow = !rounding.NeedsInputs && scheme.Granularity != ScaleGranularity.Tensor;
        var rows = isByRow ? Math.Max(1, NumbersAtOnce / matrix.shape[1]) : matrix.shape[0];
        var parts = new List<QuantizedTensor>();
        double change = 0, size = 0, changedOutput = 0, output = 0;
        for (var start = 0L; start < matrix.shape[0]; start += rows)
        {
            using var inner = NewDisposeScope();
            var part = matrix.narrow(0, start, Math.Min(rows, matrix.shape[0] - start)).to(ScalarType.Float32).contiguous();
            try
            {
                parts.Add(RoundedLayers.Named(name, () => rounding.Quantize(part, scheme, inputs)));
            }
            catch
            {
                foreach (var made in parts) made.Dispose();
                throw;
            }
            var difference = parts[^1].Dequantize().sub_(part);
            change += Squares(difference);
            size += Squares(part);
            if (inputs is not { Rows: > 0, HasSecondMoment: true }) continue;
            changedOutput += Math.Max(0, inputs.Energy(difference));
            output += inputs.Energy(part);
        }
        var codes = QuantizedTensor.Joined(parts);
        return (codes, new QuantizedLayer(name, matrix.numel(), scheme, codes.BitsPerWeight,
            Math.Sqrt(change / Math.Max(1e-30, size)),
            inputs is { Rows: > 0, HasSecondMoment: true } ? Math.Sqrt(changedOutput / Math.Max(1e-30, output)) : null));
    }

    private static double Squares(Tensor numbers)
    {
        using var flat = numbers.view(-1);
        using var sum = flat.dot(flat);
        return sum.item<float>();
    }
}
