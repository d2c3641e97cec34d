using ResearchKit.Data;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Mean loss of a model on held-out examples, always the same ones, spread evenly over all there are.</summary>
internal sealed class Evaluation(
    nn.Module<Tensor, Tensor> model, Func<Tensor, Tensor, Tensor> loss, IExamples examples, int batchSize, int batches)
{
    public double MeanLoss()
    {
        var count = Math.Min((long)batchSize * batches, examples.Count);
        var numbers = Enumerable.Range(0, (int)count).Select(i => i * examples.Count / count).ToArray();
        var training = model.training;
        model.eval();
        try
        {
            return numbers.Chunk(batchSize).Sum(chunk => Loss(chunk) * chunk.Length) / count;
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
        using var batch = examples.Fetch(numbers).To(model.parameters().First().device);
        return loss(model.call(batch.Inputs), batch.Targets).item<float>();
    }
}
