using System.Globalization;
using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Result of a check that a model can overfit a single batch. If it cannot, model or loss have an error.
/// </summary>
/// <param name="First">Loss of the batch at the first step.</param>
/// <param name="Last">Loss of the batch at the last step.</param>
/// <param name="Steps">Number of steps taken.</param>
/// <param name="Passed">Whether the loss fell to a tenth of the first loss.</param>
public sealed record OverfitCheck(double First, double Last, int Steps, bool Passed)
{
    private const double Enough = 0.1;

    /// <summary>What the check says, in words, and what to look at.</summary>
    public string Verdict => Passed ? "the batch is learnt by heart: model, loss and gradients work together"
        : !(Last < First) ? "the loss does not fall: look for a wrong sign, frozen parameters, or targets that do not fit the "
            + "inputs"
        : Last > 0.7 * First
            ? "the loss hardly falls: look for an error in the model or the targets, or for too low a learning rate"
        : "the loss falls, but not far enough: allow more steps or a higher learning rate, and switch off dropout";

    /// <summary>
    /// Trains on a single batch until its loss is a tenth of the first, then restores the weights.
    /// </summary>
    /// <param name="model">The model; its weights and buffers are restored.</param>
    /// <param name="objective">The loss.</param>
    /// <param name="examples">Examples, of which the first make up the batch.</param>
    /// <param name="batchSize">Number of examples in the batch.</param>
    /// <param name="steps">Maximum number of steps.</param>
    /// <param name="learningRate">Learning rate of AdamW.</param>
    public static OverfitCheck Try(nn.Module model, Objective objective, IExamples examples, int batchSize = 8, int steps = 200,
        double learningRate = 1e-3)
    {
        using var before = WeightSnapshot.Of(model);
        using var trainer = new Trainer(model, objective,
            new BatchLoader(new FirstExamples(examples, batchSize), batchSize, seed: null), new TrainerOptions
            {
                Steps = steps,
                Schedule = _ => learningRate,
                WeightDecay = 0,
                EvaluateEvery = null,
            });
        var (first, last) = (double.NaN, double.NaN);
        foreach (var report in trainer.Run())
        {
            if (report.Step == 1) first = report.Loss;
            last = report.Loss;
            if (last <= Enough * first) break;
        }
        return new OverfitCheck(first, last, trainer.Step, last <= Enough * first);
    }

    /// <summary>The same for a model from one tensor to one, with a loss function of (output, targets).</summary>
    /// <param name="model">The model; its weights and buffers are restored.</param>
    /// <param name="loss">Loss function, such as <see cref="Losses.CrossEntropy(Tensor, Tensor)"/>.</param>
    /// <param name="examples">Examples, of which the first make up the batch.</param>
    /// <param name="batchSize">Number of examples in the batch.</param>
    /// <param name="steps">Maximum number of steps.</param>
    /// <param name="learningRate">Learning rate of AdamW.</param>
    public static OverfitCheck Try(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Loss> loss, IExamples examples,
        int batchSize = 8,
        int steps = 200, double learningRate = 1e-3) => Try(model, Objective.Of(loss), examples, batchSize, steps, learningRate);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"loss {First:0.000} → {Last:0.000} in {Steps} steps: {Verdict}");

    private sealed class FirstExamples(IExamples all, int count) : IExamples
    {
        public long Count => Math.Min(count, all.Count);

        public Batch Fetch(IReadOnlyList<long> numbers) => all.Fetch(numbers);
    }
}
