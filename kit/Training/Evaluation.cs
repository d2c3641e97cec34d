using ResearchKit.Data;
using ResearchKit.Metrics;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Computes mean loss and metrics on a fixed subset of the held-out examples, spread evenly over all.
/// </summary>
internal sealed class Evaluation(
    nn.Module model, Func<Batch, Outcome> objective, string unit, IReadOnlyList<Reported> metrics, IExamples examples,
        int batchSize, int batches,
    ICommunicator? workers)
{
    private readonly Device device = model.parameters().First().device;

    public EvaluationReport Run()
    {
        var count = Math.Min((long)batchSize * batches, examples.Count);
        var numbers = Enumerable.Range(0, (int)count).Select(i => i * examples.Count / count).ToArray();
        var (rank, processes) = workers is null ? (0, 1) : (workers.Rank, workers.WorldSize);
        var training = model.training;
        model.eval();
        try
        {
            var total = new Total(metrics.Count);
            foreach (var chunk in numbers.Chunk(batchSize).Where((_, number) => number % processes == rank)) Add(total, chunk);
            var targets = workers.Total(total.Count, device);
            var loss = workers.Total(total.Sum, device) / targets;
            return new(loss, unit, [.. metrics.Zip(total.States, Value)]) { Examples = count, Targets = targets };
        }
        finally
        {
            model.train(training);
        }
    }

    private void Add(Total total, long[] numbers)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = examples.Fetch(numbers).To(device);
        var outcome = objective(batch);
        var count = outcome.Loss.Count.to(float64).item<double>();
        // the mean is NaN if the batch has no targets
        if (count > 0) total.Add(outcome.Loss.Mean.to(float64).item<double>(), count);
        for (var i = 0; i < metrics.Count; i++)
        {
            var state = metrics[i].Metric.Measure(outcome[metrics[i].Output], batch[metrics[i].Target]);
            total.States[i] = total.States[i] is { } before ? before + state : state;
        }
    }

    private MetricValue Value(Reported reported, MetricState? state)
    {
        var all = workers.Total(state, device);
        return new(reported.Metric.Name, all is null ? double.NaN : reported.Metric.Value(all), reported.Metric.Unit);
    }

    /// <summary>The sums of this rank so far.</summary>
    private sealed class Total(int metrics)
    {
        public double Sum { get; private set; }

        public double Count { get; private set; }

        public MetricState?[] States { get; } = new MetricState?[metrics];

        public void Add(double mean, double count)
        {
            Sum += mean * count;
            Count += count;
        }
    }
}
