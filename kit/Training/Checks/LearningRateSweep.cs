using System.Globalization;
using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Learning-rate range test: the loss while the learning rate increases from very small to too large.
/// </summary>
/// <remarks>Smith, 2017, https://arxiv.org/abs/1506.01186.</remarks>
/// <param name="Points">Pairs of learning rate and smoothed loss, in order.</param>
/// <param name="LossUnit">Unit of the loss.</param>
public sealed record LearningRateSweep(IReadOnlyList<(double LearningRate, double Loss)> Points,
    string LossUnit = Objective.DefaultUnit)
{
    private const double Smoothing = 0.9, TooMuch = 4;

    /// <summary>
    /// The learning rate at which the loss falls fastest per change of the rate's logarithm. Larger rates may still
    /// be stable.
    /// </summary>
    public double Steepest
    {
        get
        {
            var best = (Slope: double.PositiveInfinity, Rate: Points[0].LearningRate);
            for (var i = 1; i < Points.Count; i++)
            {
                var slope = (Points[i].Loss - Points[i - 1].Loss) / Math.Log(Points[i].LearningRate / Points[i - 1].LearningRate);
                if (slope < best.Slope) best = (slope, Points[i].LearningRate);
            }
            return best.Rate;
        }
    }

    /// <summary>What to do, in words: which rate to take, or what is wrong.</summary>
    public string Verdict
    {
        get
        {
            var finite = Points.Where(point => double.IsFinite(point.Loss)).ToList();
            if (finite.Count < 3)
                return "no rate gave three finite losses: start from a lower rate, or look for an error in the loss";
            var lowest = finite.MinBy(point => point.Loss);
            if (lowest.Loss > 0.98 * finite[0].Loss && finite[0].Loss > 0)
                return "the loss does not fall at any rate: look for an error in the model or the loss, or take more steps";
            if (lowest == finite[^1])
                return string.Create(CultureInfo.InvariantCulture,
                    $"the loss still falls at the highest rate, {lowest.LearningRate:0.0e0}: continue to higher ones");
            return string.Create(CultureInfo.InvariantCulture,
                $"take about {Math.Min(Steepest, lowest.LearningRate / 10):0.0e0}: the loss falls fastest at {Steepest:0.0e0} and is "
                + $"lowest at {lowest.LearningRate:0.0e0}, beyond which it rises");
        }
    }

    /// <summary>
    /// Trains with an increasing learning rate until the smoothed loss is four times its minimum, then restores the
    /// weights.
    /// </summary>
    /// <param name="model">The model; its weights and buffers are restored.</param>
    /// <param name="objective">Loss and its unit.</param>
    /// <param name="loader">Training batches; the position of the loader is restored.</param>
    /// <param name="options">Options of the planned run: optimizer, precision and accumulation.</param>
    /// <param name="lowest">First learning rate.</param>
    /// <param name="highest">Last learning rate.</param>
    /// <param name="steps">Number of steps from the first to the last rate.</param>
    /// <exception cref="ArgumentException">Rates or steps are out of range.</exception>
    public static LearningRateSweep Try(nn.Module model, Objective objective, BatchLoader loader, TrainerOptions options,
        double lowest = 1e-6, double highest = 1, int steps = 100)
    {
        ArgumentNullException.ThrowIfNull(objective);
        if (!(lowest > 0 && highest > lowest))
            throw new ArgumentException($"Got learning rates from {lowest} to {highest}; "
                + "expected a positive first rate below the last.");
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 2);
        var position = loader.Position;
        using var before = WeightSnapshot.Of(model);
        using var trainer = new Trainer(model, objective, loader, options with
        {
            Steps = steps,
            Schedule = step => lowest * Math.Pow(highest / lowest, (step - 1.0) / (steps - 1)),
            EvaluateEvery = null,
            Checkpoints = null,
            AverageDecay = null,
        });
        try
        {
            return new LearningRateSweep([.. Points(trainer)], objective.Unit);
        }
        finally
        {
            loader.Position = position;
        }

        static List<(double, double)> Points(Trainer trainer)
        {
            var points = new List<(double LearningRate, double Loss)>();
            var (mean, weight, least) = (0.0, 0.0, double.PositiveInfinity);
            try
            {
                foreach (var report in trainer.Run())
                {
                    (mean, weight) = ((Smoothing * mean) + ((1 - Smoothing) * report.Loss),
                        (Smoothing * weight) + (1 - Smoothing));
                    points.Add((report.LearningRate, mean / weight));
                    least = Math.Min(least, mean / weight);
                    if (mean / weight > TooMuch * least) break;
                }
            }
            catch (ArithmeticException)
            {
                // the loss is not finite at this rate: the sweep ends here
            }
            return points;
        }
    }

    /// <summary>The same for a model from one tensor to one, with a loss function of (output, targets).</summary>
    /// <param name="model">The model; its weights and buffers are restored.</param>
    /// <param name="loss">Loss function, such as <see cref="Losses.CrossEntropy(Tensor, Tensor)"/>.</param>
    /// <param name="loader">Training batches; the position of the loader is restored.</param>
    /// <param name="options">Options of the planned run: optimizer, precision and accumulation.</param>
    /// <param name="lowest">First learning rate.</param>
    /// <param name="highest">Last learning rate.</param>
    /// <param name="steps">Number of steps from the first to the last rate.</param>
    /// <exception cref="ArgumentException">Rates or steps are out of range.</exception>
    public static LearningRateSweep Try(nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Loss> loss, BatchLoader loader,
        TrainerOptions options,
        double lowest = 1e-6, double highest = 1, int steps = 100) =>
            Try(model, Objective.Of(loss), loader, options, lowest, highest, steps);

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Points.Count} learning rates from {Points[0].LearningRate:0.0e0} to {Points[^1].LearningRate:0.0e0}: steepest at {Steepest:0.0e0}; {Verdict}");
}
