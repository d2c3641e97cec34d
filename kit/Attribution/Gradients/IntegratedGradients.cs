using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>What integrated gradients attribute to, when a layer is named.</summary>
public enum IntegratedForm
{
    /// <summary>The path runs between the layer's activations at the baseline and at the input.</summary>
    Activation,

    /// <summary>
    /// The path runs in the input; each neuron of the layer gets the part of the change that flows through it. Dhamdhere et al.,
    /// 2018, https://arxiv.org/abs/1805.12233, by the consecutive differences of Shrikumar et al., 2018.
    /// </summary>
    Conductance,

    /// <summary>
    /// The gradient at the layer, averaged along the path in the input, not multiplied by a change. Leino et al., 2018,
    /// https://arxiv.org/abs/1802.03788.
    /// </summary>
    InternalInfluence,

    /// <summary>
    /// The part of each input's attribution that flows through one neuron of the layer
    /// (<see cref="IntegratedGradients.Neuron"/>).
    /// </summary>
    NeuronConductance,
}

/// <summary>
/// The gradient along a straight path from a baseline to the input, integrated, times the difference of the two.
/// </summary>
/// <remarks>
/// Sundararajan, Taly and Yan, 2017, https://arxiv.org/abs/1703.01365. The attributions sum to the score less that of the
/// baseline (completeness), but for the error of the sum that stands for the integral; <see cref="AttributionMap.Gaps"/> says
/// how much.
/// </remarks>
public sealed record IntegratedGradients : AttributionMethod
{
    /// <summary>Points on the path.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>How the integral is approximated.</summary>
    public Quadrature Quadrature { get; init; } = Quadrature.GaussLegendre;

    /// <summary>
    /// The baseline: [batch, ...], [1, ...] or [...] of an example's shape, tokens for a model of tokens; null for zeros.
    /// </summary>
    public Tensor? Baseline { get; init; }

    /// <summary>Whether the mean gradient is multiplied by the input less the baseline.</summary>
    public bool MultiplyByInputs { get; init; } = true;

    /// <summary>Name of the module whose output is attributed to, such as an embedding; null for the input.</summary>
    public string? At { get; init; }

    /// <summary>What is attributed to at a module.</summary>
    public IntegratedForm Form { get; init; }

    /// <summary>
    /// Index of the neuron in the module's output of one example, for <see cref="IntegratedForm.NeuronConductance"/>.
    /// </summary>
    public IReadOnlyList<long>? Neuron { get; init; }

    /// <summary>The largest completeness gap that counts as none, relative to the change of the score.</summary>
    public double Tolerance { get; init; } = 0.02;

    /// <inheritdoc/>
    public override string Name => At is null ? "integrated gradients" : Form switch
    {
        IntegratedForm.Conductance => $"conductance of {At}",
        IntegratedForm.InternalInfluence => $"internal influence of {At}",
        IntegratedForm.NeuronConductance => $"conductance of neuron [{string.Join(", ", Neuron ?? [])}] of {At}",
        _ => $"integrated gradients at {At}",
    };

    internal override void Check()
    {
        Require.AtLeast(1, Steps);
        Require.NotNegative(Tolerance);
        if (At is null && Form != IntegratedForm.Activation)
            throw new ArgumentException($"{Form} is a form of a layer; name one (At).");
        if (Form == IntegratedForm.NeuronConductance == Neuron is null)
            throw new ArgumentException($"Neuron and the form {nameof(IntegratedForm.NeuronConductance)} belong together; got "
                + "the "
                + $"form {Form}{(Neuron is null ? " without" : " with")} a neuron.");
    }

    internal override Found Explain(Explained explained, Tensor input)
    {
        var baseline = Baselines.Of(Baseline, input);
        if (At is not null && Form != IntegratedForm.Activation && !input.is_floating_point())
            throw new ArgumentException($"The input is {input.dtype}; {Form} needs a path in the input, which tokens do not "
                + "have.");
        return Form switch
        {
            IntegratedForm.Conductance => Conductance(explained, input, baseline),
            IntegratedForm.InternalInfluence => new Found(MeanAtLayer(explained, input, baseline)),
            IntegratedForm.NeuronConductance => new Found(OfNeuron(explained, input, baseline)) { Notes = Notes },
            _ => Plain(explained, input, baseline),
        };
    }

    private string[] Notes => [$"{Steps} steps", Baseline is null ? "baseline 0" : "given baseline"];

    private Found Plain(Explained explained, Tensor input, Tensor baseline)
    {
        var (end, start) = At is null ? (input, baseline)
            : (explained.Activation(At, input), explained.Activation(At, baseline));
        var mean = Mean(explained, end - start, (alphas, to) =>
        {
            var path = Path(start, end, alphas);
            return At is null ? explained.Gradient(path).Gradient
                : explained.GradientAt(At, Repeated(input, to), path).Gradient;
        });
        var found = new Found(MultiplyByInputs ? mean * (end - start) : mean) { Notes = Notes };
        if (!MultiplyByInputs) return found;
        var changes = At is null ? explained.Scores(input) - explained.Scores(baseline)
            : explained.GradientAt(At, input, end).Scores - explained.GradientAt(At, input, start).Scores;
        return found.Complete(found.Values.flatten(1).sum(dim: 1), changes, Tolerance);
    }

    private Tensor MeanAtLayer(Explained explained, Tensor input, Tensor baseline) =>
        Mean(explained, explained.Activation(At!, input), (alphas, _) =>
            explained.GradientAt(At!, Path(baseline, input, alphas)).Gradient);

    private Tensor OfNeuron(Explained explained, Tensor input, Tensor baseline)
    {
        var mean = Mean(explained, input, (alphas, _) =>
        {
            var (outer, inner) = explained.NeuronGradients(At!, Path(baseline, input, alphas), Neuron!);
            return inner * outer.view([-1, .. Enumerable.Repeat(1L, (int)input.dim() - 1)]);
        });
        return MultiplyByInputs ? mean * (input - baseline) : mean;
    }

    /// <summary>Averages gradients along the path with the weights of the quadrature.</summary>
    /// <param name="explained">The model.</param>
    /// <param name="like">[batch, ...], a tensor of the gradients' shape.</param>
    /// <param name="gradients">Takes places on the path and their number; returns [places * batch, ...].</param>
    private Tensor Mean(Explained explained, Tensor like, Func<double[], int, Tensor> gradients)
    {
        var (nodes, weights) = QuadratureRule.Of(Quadrature, Steps);
        var mean = zeros_like(like);
        explained.InParts(Steps, (from, to) =>
        {
            using var scope = NewDisposeScope();
            var each = gradients(nodes[from..to], to - from).view([to - from, .. like.shape]);
            mean.add_((each * Column(weights[from..to], each)).sum(dim: 0));
        });
        return mean;
    }

    /// <summary>
    /// Sums, over consecutive points of the path, the gradient at the earlier one times the change of the activation.
    /// </summary>
    private Found Conductance(Explained explained, Tensor input, Tensor baseline)
    {
        var nodes = QuadratureRule.Of(Quadrature, Steps + 1).Nodes;
        Tensor? before = null, lastGradient = null;
        var sum = zeros_like(explained.Activation(At!, input));
        explained.InParts(Steps + 1, (from, to) =>
        {
            using var scope = NewDisposeScope();
            var (_, activation, gradient) = explained.GradientAt(At!, Path(baseline, input, nodes[from..to]));
            long[] shape = [to - from, .. sum.shape];
            (activation, gradient) = (activation.view(shape), gradient.view(shape));
            if (before is not null) sum.add_(lastGradient! * (activation[0] - before));
            if (to - from > 1) sum.add_((gradient[..^1] * (activation[1..] - activation[..^1])).sum(dim: 0));
            before = activation[-1].clone().MoveToOuterDisposeScope();
            lastGradient = gradient[-1].clone().MoveToOuterDisposeScope();
        });
        var changes = explained.Scores(input) - explained.Scores(baseline);
        return new Found(sum) { Notes = Notes }.Complete(sum.flatten(1).sum(dim: 1), changes, Tolerance);
    }

    /// <summary>The points of the straight path: [places * batch, ...].</summary>
    private static Tensor Path(Tensor start, Tensor end, double[] alphas)
    {
        using var scope = NewDisposeScope();
        var each = (end - start).unsqueeze(0).expand([alphas.Length, .. end.shape]);
        return (start + (each * Column(alphas, each))).flatten(0, 1).MoveToOuterDisposeScope();
    }

    private static Tensor Column(double[] values, Tensor like) =>
        tensor(values, like.dtype, like.device).view([-1, .. Enumerable.Repeat(1L, (int)like.dim() - 1)]);

    private static Tensor Repeated(Tensor input, int times) =>
        input.repeat([times, .. Enumerable.Repeat(1L, (int)input.dim() - 1)]);
}
