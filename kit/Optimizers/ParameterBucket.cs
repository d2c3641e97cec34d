using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Parameters of the same group, dtype, device, kind of state and rough size.</summary>
internal sealed class ParameterBucket(IReadOnlyList<TrainedParameter> parameters, double learningRateFactor, double weightDecay)
{
    private ParameterBatch[] last = [];

    /// <summary>Returns the parameters that have a gradient, in batches with the same number of steps.</summary>
    public ParameterBatch[] Moving(double learningRate, bool countsStep)
    {
        var moving = new List<TrainedParameter>(parameters.Count);
        var gradients = new List<Tensor>(parameters.Count);
        foreach (var one in parameters)
        {
            if (one.Parameter.grad is not { } gradient) continue;
            if (countsStep) one.Step++;
            moving.Add(one);
            gradients.Add(gradient);
        }
        if (moving.Count == 0) return [];
        var same = moving.TrueForAll(one => one.Step == moving[0].Step);
        if (same && last is [var before] && before.Are(moving)) before.Gradients = [.. gradients];
        else if (same) last = [new ParameterBatch(moving, [.. gradients])];
        else last = [.. moving.Zip(gradients).GroupBy(pair => pair.First.Step)
            .Select(alike => new ParameterBatch([.. alike.Select(pair => pair.First)], [.. alike.Select(pair => pair.Second)]))];
        foreach (var alike in last)
        {
            alike.LearningRate = learningRate * learningRateFactor;
            alike.WeightDecay = weightDecay;
        }
        return last;
    }
}
