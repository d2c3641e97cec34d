using System.Text;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Which layers of a model suffer most from quantization.</summary>
/// <param name="Layers">One entry for each layer, in the order of the module tree.</param>
/// <param name="Measure">What the costs are, such as "rise of the loss".</param>
/// <param name="Baseline">The loss of the model as it is; null where no loss was measured.</param>
public sealed record QuantizationSensitivity(IReadOnlyList<LayerSensitivity> Layers, string Measure, double? Baseline)
{
    /// <summary>
    /// Quantizes one layer after the other, alone, and measures what it costs. The model is as it was afterwards.
    /// </summary>
    /// <param name="model">A model of the kit, or one with <c>Dense</c> layers.</param>
    /// <param name="schemes">The schemes that are tried in each layer.</param>
    /// <param name="loss">
    /// The loss of the model as it is when this is called; null to take the squared relative error of each layer's output on the
    /// calibration data, which is much faster and does not know how much an output matters.
    /// </param>
    /// <param name="plan">Which layers, and how codes are chosen; null for rounding to nearest.</param>
    /// <param name="calibration">What the layers read; needed without a loss, and by some roundings.</param>
    /// <param name="progress">Receives each layer.</param>
    /// <param name="cancellation">Cancels between two measurements.</param>
    /// <exception cref="ArgumentException">
    /// There is no scheme, a scheme does not fit a layer, the plan has a scaling, or neither loss nor calibration is given.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the model is as it was.</exception>
    public static QuantizationSensitivity Of(nn.Module model, IReadOnlyList<QuantizationScheme> schemes,
        Func<double>? loss = null, QuantizationPlan? plan = null, Calibration? calibration = null,
        IProgress<LayerSensitivity>? progress = null, CancellationToken cancellation = default)
    {
        plan ??= new();
        Require.That(schemes.Count > 0, schemes.Count, "the number of schemes", "at least 1");
        if (plan.Scaling is not null)
            throw new ArgumentException("A layer alone cannot be scaled; the plan has a scaling.", nameof(plan));
        if (loss is null && calibration is null)
            throw new ArgumentException("Give a loss, or the calibration of the layers.", nameof(loss));
        foreach (var scheme in schemes)
            (plan with { Scheme = scheme, Overrides = Same(plan, scheme) }).Choose(model, calibration);
        var baseline = loss?.Invoke();
        var layers = new List<LayerSensitivity>();
        foreach (var (name, layer, _) in plan.Choose(model, calibration))
        {
            var costs = new List<SchemeCost>();
            foreach (var scheme in schemes)
            {
                cancellation.ThrowIfCancellationRequested();
                costs.Add(Cost(layer, scheme, plan.Rounding, calibration?.Moments.GetValueOrDefault(name), loss, baseline));
            }
            using var matrix = layer.Matrix();
            layers.Add(new LayerSensitivity(name, matrix.numel(), costs));
            progress?.Report(layers[^1]);
        }
        var measure = loss is null ? "squared relative error of the output" : "rise of the loss";
        return new QuantizationSensitivity(layers, measure, baseline);
    }

    /// <summary>Chooses the scheme of each layer so that the sum of the costs is small and the mean bits meet a target.</summary>
    /// <remarks>
    /// It starts with the fewest bits everywhere, and then takes the steps that lower the costs most for a bit, along the convex
    /// hull of each layer. Costs are added, as if layers did not influence each other.
    /// </remarks>
    /// <param name="bitsPerWeight">The target, with scales and zero points; 4.5 for example.</param>
    /// <exception cref="ArgumentException">The fewest bits are above the target.</exception>
    public BitAllocation Allocate(double bitsPerWeight)
    {
        var hulls = Layers.Select(layer => Hull(layer.Schemes)).ToList();
        var chosen = new int[Layers.Count];
        var all = Layers.Sum(layer => (double)layer.Weights);
        var tolerance = 1e-6 * all;
        var left = (bitsPerWeight * all) - Layers.Zip(hulls, (layer, hull) => layer.Weights * hull[0].BitsPerWeight).Sum();
        if (!(left >= -tolerance))
            throw new ArgumentException(FormattableString.Invariant(
                $"The target is {bitsPerWeight} bits a weight; the smallest schemes take {bitsPerWeight - (left / all):0.###}."),
                    nameof(bitsPerWeight));
        while (true)
        {
            var steps = from layer in Enumerable.Range(0, Layers.Count)
                        where chosen[layer] + 1 < hulls[layer].Count
                        let now = hulls[layer][chosen[layer]]
                        let next = hulls[layer][chosen[layer] + 1]
                        let bits = Layers[layer].Weights * (next.BitsPerWeight - now.BitsPerWeight)
                        where bits <= left + tolerance
                        orderby (now.Rise - next.Rise) / bits descending
                        select (Layer: layer, Bits: bits);
            if (steps.ToList() is not [var best, ..]) break;
            chosen[best.Layer]++;
            left -= best.Bits;
        }
        var costs = Layers.Select((layer, index) => (layer.Name, Cost: hulls[index][chosen[index]])).ToList();
        return new BitAllocation(costs, bitsPerWeight - (left / all), costs.Sum(layer => layer.Cost.Rise));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder(Measure).Append(" when one layer alone is quantized");
        foreach (var layer in Layers) text.Append('\n').Append(layer);
        return text.ToString();
    }

    /// <summary>
    /// The schemes that are worth their bits: fewer bits first, costs falling, and each step gaining less for a bit.
    /// </summary>
    private static List<SchemeCost> Hull(IReadOnlyList<SchemeCost> costs)
    {
        static double Slope(SchemeCost from, SchemeCost to) => (from.Rise - to.Rise) / (to.BitsPerWeight - from.BitsPerWeight);
        var hull = new List<SchemeCost>();
        foreach (var cost in costs.OrderBy(cost => cost.BitsPerWeight).ThenBy(cost => cost.Rise))
        {
            if (hull.Count > 0 && (cost.Rise >= hull[^1].Rise || cost.BitsPerWeight <= hull[^1].BitsPerWeight)) continue;
            while (hull.Count > 1 && Slope(hull[^1], cost) >= Slope(hull[^2], hull[^1])) hull.RemoveAt(hull.Count - 1);
            hull.Add(cost);
        }
        return hull;
    }

    private static SchemeCost Cost(Layers.IQuantizableLayer layer, QuantizationScheme scheme, Rounding rounding,
        InputMoments? inputs, Func<double>? loss, double? baseline)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var matrix = layer.Matrix();
        var original = matrix.detach().to(ScalarType.Float32, copy: true);
        using var made = rounding.Quantize(original, scheme, inputs);
        var numbers = made.Dequantize();
        if (loss is null)
            return new SchemeCost(scheme, made.BitsPerWeight, inputs!.Energy(numbers - original)
                / Math.Max(1e-30, inputs.Energy(original)));
        using var stored = matrix.detach().clone();
        matrix.copy_(numbers);
        try
        {
            return new SchemeCost(scheme, made.BitsPerWeight, loss() - baseline!.Value);
        }
        finally
        {
            matrix.copy_(stored);
        }
    }

    /// <summary>The plan's choice of layers, all with one scheme.</summary>
    private static List<(string Names, QuantizationScheme? Scheme)> Same(QuantizationPlan plan, QuantizationScheme scheme) =>
        [.. plan.Overrides.Select(rule => (rule.Names, rule.Scheme is null ? null : scheme))];
}
