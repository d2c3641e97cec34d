using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Metrics;

/// <summary>The metrics of the kit. Each states the inputs that it takes.</summary>
public static partial class Metric
{
    /// <summary>Mean of |prediction − target|, in the unit of the targets.</summary>
    /// <remarks>Takes predictions and targets of as many elements.</remarks>
    public static Metric<Tensor> MeanAbsoluteError { get; } =
        new("mean absolute error", "unit of the targets", (predictions, targets) =>
    {
        using var scope = NewDisposeScope();
        var (predicted, target) = Predictions.Pairs(predictions, targets);
        return new((predicted - target).abs().sum().item<double>(), target.numel());
    }, Ratio, higherIsBetter: false);

    /// <summary>Root of the mean of (prediction − target)², in the unit of the targets.</summary>
    /// <remarks>Takes predictions and targets of as many elements.</remarks>
    public static Metric<Tensor> RootMeanSquaredError { get; } =
        new("root mean squared error", "unit of the targets", (predictions, targets) =>
    {
        using var scope = NewDisposeScope();
        var (predicted, target) = Predictions.Pairs(predictions, targets);
        return new((predicted - target).square().sum().item<double>(), target.numel());
    }, state => Math.Sqrt(Ratio(state)), higherIsBetter: false);

    /// <summary>
    /// R²: one minus the squared error as a share of the targets' variance. 1 is perfect; the mean of the targets gives 0.
    /// </summary>
    /// <remarks>
    /// Takes predictions and targets of as many elements. NaN where all targets are equal, and with fewer than two.
    /// </remarks>
    public static Metric<Tensor> RSquared { get; } = new("R²", "share", (predictions, targets) =>
    {
        using var scope = NewDisposeScope();
        var (predicted, target) = Predictions.Pairs(predictions, targets);
        return new((predicted - target).square().sum().item<double>(), target.sum().item<double>(),
            target.square().sum().item<double>(), target.numel());
    }, state =>
    {
        var spread = state.Sums[2] - (state.Sums[1] * state.Sums[1] / state.Sums[3]);
        return state.Sums[3] >= 2 && spread > 1e-12 * state.Sums[2] ? 1 - (state.Sums[0] / spread) : double.NaN;
    });

    /// <summary>Log loss: the mean of −log p(target), in nats.</summary>
    /// <remarks>Takes logits [..., classes] and targets int64 [...]; a target of -100 is ignored.</remarks>
    public static Metric<Tensor> LogLoss { get; } =
        new("log loss", "nats", NegativeLogLikelihood, Ratio, higherIsBetter: false);

    /// <summary>exp of the mean of −log p(target).</summary>
    /// <remarks>
    /// Takes logits [..., vocabulary] and targets int64 [...]; a target of -100 is ignored. For a language model give the logits
    /// of each position and the next token.
    /// </remarks>
    public static Metric<Tensor> Perplexity { get; } =
        new("perplexity", "tokens", NegativeLogLikelihood, state => Math.Exp(Ratio(state)), higherIsBetter: false);

    /// <summary>
    /// Bits that the model needs for a byte of the text: −log₂ p of all targets over their bytes. It compares models with
    /// different tokenizers.
    /// </summary>
    /// <param name="bytesOfToken">Length in bytes of each token of the vocabulary, by its id.</param>
    /// <remarks>Takes logits [..., vocabulary] and targets int64 [...]; a target of -100 is ignored.</remarks>
    public static Metric<Tensor> BitsPerByte(IReadOnlyList<int> bytesOfToken)
    {
        ArgumentNullException.ThrowIfNull(bytesOfToken);
        return new("bits per byte", "bits per byte", (logits, targets) =>
        {
            using var scope = NewDisposeScope();
            var state = NegativeLogLikelihood(logits, targets);
            var bytes = targets.cpu().to(int64).reshape(-1).data<long>().Where(token => token != NoTarget.Value)
                .Sum(token => (double)bytesOfToken[(int)token]);
            return new(state.Sums[0] / Math.Log(2), bytes);
        }, Ratio, higherIsBetter: false);
    }

    private static MetricState NegativeLogLikelihood(Tensor logits, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var (rows, wanted) = Predictions.Rows(logits, targets);
        return new(-rows.log_softmax(1).gather(1, wanted.unsqueeze(1)).sum(float64).item<double>(), wanted.shape[0]);
    }

    private static double Ratio(MetricState state) => state.Sums[1] == 0 ? double.NaN : state.Sums[0] / state.Sums[1];

    private static double[] Doubles(Tensor values) => values.cpu().contiguous().data<double>().ToArray();
}
