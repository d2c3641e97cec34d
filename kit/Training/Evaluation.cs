using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Mean loss of a model on held-out examples, always the same ones, spread evenly over all there are.</summary>
internal sealed class Evaluation(nn.Module model, Func<Batch, Tensor> objective, IExamples examples, int batchSize, int batches, ICommunicator? workers)
{
    private readonly Device device = model.parameters().First().device;

    public double MeanLoss()
    {
        var count = Math.Min((long)batchSize * batches, examples.Count);
        var numbers = Enumerable.Range(0, (int)count).Select(i => i * examples.Count / count).ToArray();
        var (rank, processes) = workers is null ? (0, 1) : (workers.Rank, workers.WorldSize);
        var training = model.training;
        model.eval();
        try
        {
            var own = numbers.Chunk(batchSize).Where((_, number) => number % processes == rank);
            return workers.Total(own.Sum(chunk => Loss(chunk) * chunk.Length), device) / count;
        }
        finally
        {
            model.train(training);
        }
    }

    private double Loss(long[] numbers)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var batch = examples.Fetch(numbers).To(device);
        return objective(batch).Full().item<float>();
    }
}
