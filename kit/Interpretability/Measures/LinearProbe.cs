using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>How a probe is trained and judged.</summary>
public sealed record ProbeOptions
{
    /// <summary>Weight of the penalty on the squared weights, on features of variance 1.</summary>
    public double Penalty { get; init; } = 1e-3;

    /// <summary>Iterations of accelerated gradient descent on all samples.</summary>
    public int Iterations { get; init; } = 300;

    /// <summary>Share of the samples that are held out to judge it.</summary>
    public double HeldOut { get; init; } = 0.3;

    /// <summary>Seed of the split and of the control task.</summary>
    public int Seed { get; init; }

    internal ProbeOptions Validated() => Penalty >= 0 && Iterations > 0 && HeldOut is > 0 and < 1 ? this
        : throw new ArgumentException($"Got penalty {Penalty}, {Iterations} iterations, held-out share {HeldOut}; expected a "
            + "penalty of 0 or "
            + "more, iterations, and a share between 0 and 1.");
}

/// <summary>How well a linear classifier reads a property from activations, beside two baselines.</summary>
/// <param name="Accuracy">Share of held-out samples that are classified correctly.</param>
/// <param name="ControlAccuracy">
/// The same for the control task, in which each type of input has a random class: what the probe can memorise.
/// </param>
/// <param name="MajorityAccuracy">Share of the most frequent class among the held-out samples.</param>
/// <param name="Samples">Number of held-out samples.</param>
/// <param name="Classes">Number of classes.</param>
public sealed record ProbeResult(double Accuracy, double ControlAccuracy, double MajorityAccuracy, int Samples, int Classes)
{
    /// <summary>Accuracy minus accuracy on the control task: what is more than memorising.</summary>
    public double Selectivity => Accuracy - ControlAccuracy;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"linear probe: accuracy {Accuracy:0.000}, control task {ControlAccuracy:0.000}, selectivity {Selectivity:0.000}, most frequent class {MajorityAccuracy:0.000} ({Samples} held-out samples, {Classes} classes)");
}

/// <summary>A linear classifier of activations: multinomial logistic regression on standardised features.</summary>
/// <remarks>
/// Alain and Bengio, 2016, https://arxiv.org/abs/1610.01644; control tasks: Hewitt and Liang, 2019,
/// https://arxiv.org/abs/1909.03368.
/// </remarks>
public sealed class LinearProbe : IDisposable
{
    private LinearProbe(Tensor weight, Tensor bias)
    {
        Weight = weight;
        Bias = bias;
    }

    /// <summary>Weights on the features as given, [classes, features]; also the directions that a probe found.</summary>
    public Tensor Weight { get; }

    /// <summary>Biases, [classes].</summary>
    public Tensor Bias { get; }

    /// <summary>Trains a probe.</summary>
    /// <param name="features">Activations, [samples, features].</param>
    /// <param name="labels">Classes from 0, int64 [samples].</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The probe; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit, a number is not finite, or a label is below 0.</exception>
    public static LinearProbe Train(Tensor features, Tensor labels, ProbeOptions? options = null)
    {
        Check(features, labels);
        options = (options ?? new ProbeOptions()).Validated();
        using var scope = NewDisposeScope();
        var x = features.detach().to(float32);
        var mean = x.mean([0]);
        var deviation = x.std(0, unbiased: false).clamp_min(1e-6);
        x = (x - mean) / deviation;
        using var quiet = no_grad();
        var all = Descend(cat([x, ones(x.shape[0], 1, device: x.device)], 1), labels, options);   // [features + 1, classes]
        var plain = all.narrow(0, 0, x.shape[1]).t() / deviation;
        return new LinearProbe(plain.DetachFromDisposeScope(), (all[-1] - plain.matmul(mean)).DetachFromDisposeScope());
    }

    /// <summary>Classifies samples.</summary>
    /// <param name="features">[samples, features].</param>
    /// <returns>int64 [samples]; the caller disposes it.</returns>
    public Tensor Predict(Tensor features)
    {
        ArgumentNullException.ThrowIfNull(features);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        return (features.detach().to(float32).matmul(Weight.t()) + Bias).argmax(-1).MoveToOuterDisposeScope();
    }

    /// <summary>Trains a probe on a part of the samples and judges it on the others, beside a control task.</summary>
    /// <param name="features">Activations, [samples, features].</param>
    /// <param name="labels">Classes from 0, int64 [samples].</param>
    /// <param name="types">
    /// The type of each sample, int64 [samples], such as the token: the control task gives each type a random class, with the
    /// frequencies of the labels. Null makes each sample its own type, so that the control is shuffled labels.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <inheritdoc cref="Train" path="/exception"/>
    public static ProbeResult Evaluate(Tensor features, Tensor labels, Tensor? types = null, ProbeOptions? options = null)
    {
        Check(features, labels);
        options = (options ?? new ProbeOptions()).Validated();
        var samples = (int)features.shape[0];
        var held = Math.Max(1, (int)Math.Round(samples * options.HeldOut));
        if (samples - held < 1) throw new ArgumentException($"Got {samples} samples; expected two or more.", nameof(features));
        if (types is not null && types.numel() != samples)
            throw new ArgumentException($"Got {types.numel()} types for {samples} samples; expected one for each.",
                nameof(types));
        using var scope = NewDisposeScope();
        var random = new Random(options.Seed);
        var order = Enumerable.Range(0, samples).Select(index => (long)index).ToArray();
        random.Shuffle(order);
        var (test, train) = (tensor(order[..held], device: features.device), tensor(order[held..], device: features.device));
        var classes = (int)labels.max().item<long>() + 1;
        var known = labels.cpu().data<long>().ToArray();
        var control = tensor(Control(known, types?.cpu().data<long>().ToArray(), random), device: labels.device);
        double Judge(Tensor target)
        {
            using var probe = Train(features[train], target[train], options);
            return probe.Predict(features[test]).eq(target[test]).to(float64).mean().item<double>();
        }
        var majority = order[..held].CountBy(index => known[index]).Max(group => group.Value) / (double)held;
        return new ProbeResult(Judge(labels), Judge(control), majority, held, classes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Weight.Dispose();
        Bias.Dispose();
    }

    /// <summary>
    /// Minimises cross-entropy plus penalty by Nesterov's method with restarts, whose step follows from the curvature.
    /// </summary>
    /// <param name="x">Features and a column of ones, [samples, features + 1].</param>
    /// <param name="labels">[samples].</param>
    /// <param name="options">How.</param>
    private static Tensor Descend(Tensor x, Tensor labels, ProbeOptions options)
    {
        double samples = x.shape[0];
        var penalty = full([x.shape[1], 1], 2 * options.Penalty, device: x.device);
        penalty[^1] = 0;                                                                            // not on the biases
        var targets = nn.functional.one_hot(labels).to(float32);
        var curvature = (0.5 * linalg.eigvalsh(x.t().matmul(x) / samples).max().item<float>()) + (2 * options.Penalty);
        var weight = zeros(x.shape[1], targets.shape[1], device: x.device);
        var (ahead, momentum) = (weight, 1.0);
        for (var step = 0; step < options.Iterations; step++)
        {
            using var scope = NewDisposeScope();
            var gradient = (x.t().matmul(x.matmul(ahead).softmax(-1) - targets) / samples) + (penalty * ahead);
            var next = ahead - (gradient / curvature);
            var change = next - weight;
            if ((gradient * change).sum().item<float>() > 0) momentum = 1;                          // it went uphill
            var later = (1 + Math.Sqrt(1 + (4 * momentum * momentum))) / 2;
            ahead = (next + ((momentum - 1) / later * change)).MoveToOuterDisposeScope();
            weight = next.MoveToOuterDisposeScope();
            momentum = later;
        }
        return weight;
    }

    /// <summary>A random class for each type, drawn from the labels.</summary>
    private static long[] Control(long[] labels, long[]? types, Random random)
    {
        var classes = new Dictionary<long, long>();
        return [.. labels.Select((_, sample) =>
        {
            var type = types?[sample] ?? sample;
            if (!classes.TryGetValue(type, out var label)) classes[type] = label = labels[random.Next(labels.Length)];
            return label;
        })];
    }

    private static void Check(Tensor features, Tensor labels)
    {
        ArgumentNullException.ThrowIfNull(features);
        ArgumentNullException.ThrowIfNull(labels);
        if (features.dim() != 2 || !labels.shape.SequenceEqual([features.shape[0]]) || labels.dtype != ScalarType.Int64)
            throw new ArgumentException($"Got features {features.ShapeText()} and labels {labels.ShapeText()} of "
                + $"{labels.dtype}; expected "
                + "[samples, features] and int64 [samples].");
        using var scope = NewDisposeScope();
        if (!features.isfinite().all().item<bool>())
            throw new ArgumentException("The features contain NaN or infinity.", nameof(features));
        if (labels.min().item<long>() is < 0 and var low)
            throw new ArgumentException($"Got a label of {low}; expected 0 or more.", nameof(labels));
    }
}
