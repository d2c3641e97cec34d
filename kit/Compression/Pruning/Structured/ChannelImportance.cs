using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>How much the channels of dependency groups matter: scores by the names of the groups, larger for more.</summary>
/// <remarks>Scores are comparable within a group. <see cref="Smallest"/> chooses the channels to remove.</remarks>
public static class ChannelImportance
{
    /// <summary>Magnitude: the Euclidean norm of all weights and biases that write or read the channel.</summary>
    /// <remarks>A layer's score is the norm of all its parameters.</remarks>
    /// <param name="model">A model whose groups are known (<see cref="ChannelGroups"/>).</param>
    /// <exception cref="ArgumentException">The model's groups are not known.</exception>
    public static IReadOnlyDictionary<string, double[]> Magnitude(nn.Module model) => Of(model,
        axis => axis.Role is ChannelRole.Writes or ChannelRole.Reads, (parameter, _) => parameter.square(), Math.Sqrt);

    /// <summary>Taylor: |Σ w · ∂L/∂w| over the weights and biases that write the channel.</summary>
    /// <remarks>
    /// Molchanov et al., 2019, https://arxiv.org/abs/1906.10771: the change of the loss when the channel is removed, to first
    /// order. A layer's score is over all its parameters.
    /// </remarks>
    /// <param name="model">A model with gradients: call <c>backward()</c> on the loss of some batches before.</param>
    /// <exception cref="ArgumentException">The model's groups are not known, or a parameter has no gradient.</exception>
    public static IReadOnlyDictionary<string, double[]> Taylor(nn.Module model) => Of(model,
        axis => axis.Role == ChannelRole.Writes, (parameter, name) => parameter * (parameter.grad
            ?? throw new ArgumentException($"{name} has no gradient; call backward() on a loss first.", nameof(model))),
                Math.Abs);

    /// <summary>Taylor over some batches, whose gradients are summed; the model has no gradients afterwards.</summary>
    /// <inheritdoc cref="Taylor(nn.Module)"/>
    /// <param name="model">The model.</param>
    /// <param name="batches">Batches on the device of the model, which are disposed.</param>
    /// <param name="loss">Loss of a batch, a scalar.</param>
    public static IReadOnlyDictionary<string, double[]> Taylor(nn.Module model, IEnumerable<Batch> batches,
        Func<Batch, Tensor> loss)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(batches);
        model.zero_grad();
        try
        {
            foreach (var batch in batches)
                using (batch)
                {
                    using var scope = NewDisposeScope();
                    loss(batch).backward();
                }
            return Taylor(model);
        }
        finally
        {
            model.zero_grad();
        }
    }

    /// <summary>
    /// Wanda by channel: Σ |w| times the norm of the channel, over the weights that read it.
    /// </summary>
    /// <remarks>
    /// After Sun et al., 2023, https://arxiv.org/abs/2306.11695. Only groups whose channels are all read by linear layers that
    /// were watched have scores.
    /// </remarks>
    /// <param name="model">A model whose groups are known.</param>
    /// <param name="calibration">What the linear layers of this model read.</param>
    /// <exception cref="ArgumentException">The model's groups are not known, or the calibration is of another model or
    /// empty.</exception>
    public static IReadOnlyDictionary<string, double[]> Activations(nn.Module model, Calibration calibration)
    {
        ArgumentNullException.ThrowIfNull(calibration);
        var tensors = ModelTensors.Of(model);
        Dictionary<string, double[]> scores = [];
        foreach (var group in ChannelGroups.Of(model))
        {
            var reads = group.Axes.Where(axis => axis.Role == ChannelRole.Reads).ToArray();
            if (reads.Length == 0 || !reads.All(axis => calibration.Moments.ContainsKey(Layer(axis)))) continue;
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor sum = zeros([group.Count], ScalarType.Float64);
            foreach (var axis in reads)
                sum += Along(Weighted(tensors[axis.Tensor], axis, calibration.Moments[Layer(axis)]), axis, group);
            scores[group.Name] = [.. sum.data<double>()];
        }
        return scores;
    }

    /// <summary>Random scores, the baseline of every other one.</summary>
    /// <param name="model">A model whose groups are known.</param>
    /// <param name="seed">Seed; the same seed gives the same scores.</param>
    /// <exception cref="ArgumentException">The model's groups are not known.</exception>
    public static IReadOnlyDictionary<string, double[]> Random(nn.Module model, int seed)
    {
        var source = new Random(seed);
        return ChannelGroups.Of(model).ToDictionary(group => group.Name,
            group => Enumerable.Range(0, group.Count).Select(_ => source.NextDouble()).ToArray());
    }

    /// <summary>Chooses the channels of each group with the smallest scores; ties go to the smaller number.</summary>
    /// <param name="scores">Scores by group, such as those of some kinds alone.</param>
    /// <param name="share">Share of the channels of each group to remove, 0 to 1; at least one channel stays.</param>
    /// <param name="multipleOf">The channels that stay are rounded up to a multiple of this, such as 8 for fast kernels.</param>
    /// <returns>Channels for <see cref="StructuredPruning"/>.</returns>
    /// <exception cref="ArgumentException">The share is out of range, or a score is NaN.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<int>> Smallest(IReadOnlyDictionary<string, double[]> scores,
        double share,
        int multipleOf = 1)
    {
        Tensors.Require.That(share is >= 0 and <= 1, share, nameof(share), "0 to 1");
        Tensors.Require.AtLeast(1, multipleOf);
        Dictionary<string, IReadOnlyList<int>> channels = [];
        foreach (var (group, values) in scores)
        {
            if (values.Any(double.IsNaN)) throw new ArgumentException($"A score of group {group} is NaN.", nameof(scores));
            var stay = Math.Max(1, values.Length - (int)Math.Round(share * values.Length, MidpointRounding.ToEven));
            stay = Math.Min(values.Length, (stay + multipleOf - 1) / multipleOf * multipleOf);
            channels[group] = [.. Enumerable.Range(0, values.Length).OrderBy(channel => values[channel])
                .Take(values.Length - stay).Order()];
        }
        return channels;
    }

    /// <summary>Sums a value of every weight over the channels of every group.</summary>
    private static Dictionary<string, double[]> Of(nn.Module model, Func<ChannelAxis, bool> counts,
        Func<Tensor, string, Tensor> value, Func<double, double> last)
    {
        var groups = ChannelGroups.Of(model);
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        Dictionary<string, double[]> scores = [];
        foreach (var group in groups)
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var sums = new double[group.Count];
            foreach (var axis in group.Axes.Where(axis => counts(axis) && parameters.ContainsKey(axis.Tensor)))
            {
                using var each = NewDisposeScope();
                var along = Along(value(parameters[axis.Tensor], axis.Tensor), axis, group).data<double>().ToArray();
                for (var channel = 0; channel < sums.Length; channel++) sums[channel] += along[channel];
            }
            if (group.LayerPrefix is { } prefix)
                for (var layer = 0; layer < sums.Length; layer++)
                    sums[layer] = parameters.Where(pair => pair.Key.StartsWith($"{prefix}{layer + group.FirstLayer}.",
                        StringComparison.Ordinal)).Sum(pair => Sum(value(pair.Value, pair.Key)));
            scores[group.Name] = [.. sums.Select(last)];
        }
        return scores;
    }

    private static double Sum(Tensor values) => values.sum(ScalarType.Float64).item<double>();

    /// <summary>Sums a tensor over all but the channels of an axis: float64 [channels].</summary>
    private static Tensor Along(Tensor values, ChannelAxis axis, ChannelGroup group)
    {
        long[] others = [.. Enumerable.Range(0, (int)values.dim()).Where(other => other != axis.Axis)
            .Select(other => (long)other)];
        var wide = values.to(ScalarType.Float64);
        var line = others.Length == 0 ? wide : wide.sum(others);
        return line.narrow(0, axis.Offset, group.Count * axis.Width).view(group.Count, axis.Width).sum(dim: 1).cpu();
    }

    private static string Layer(ChannelAxis axis) => axis.Tensor[..axis.Tensor.LastIndexOf('.')];

    /// <summary>|w| times the norm of its input.</summary>
    private static Tensor Weighted(Tensor weight, ChannelAxis axis, InputMoments inputs)
    {
        if (inputs.Rows == 0 || inputs.Largest.shape[0] != weight.shape[axis.Axis])
            throw new ArgumentException($"The calibration of {Layer(axis)} has {inputs.Rows} rows of "
                + $"{inputs.Largest.shape[0]} channels; "
                + $"expected at least one row of {weight.shape[axis.Axis]}.");
        var norms = inputs.MeanSquares.sqrt().to(weight.dtype);
        return weight.abs() * (axis.Axis == 0 ? norms.unsqueeze(1) : norms);
    }
}
