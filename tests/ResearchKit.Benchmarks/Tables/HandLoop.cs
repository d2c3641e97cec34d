using ResearchKit.Data;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A training loop as one writes it by hand with TorchSharp's modules and AdamW, which does what the trainer does.</summary>
internal sealed class HandLoop : IDisposable
{
    private readonly PlainGpt model;
    private readonly optim.Optimizer optimizer;
    private readonly IEnumerator<Batch> batches = TrainerSpeed.Loader().Batches().GetEnumerator();

    public HandLoop()
    {
        using var sizes = TrainerSpeed.Model();
        model = new PlainGpt(sizes.Config.VocabularySize, sizes.Config.ContextLength, sizes.Config.ModelWidth, sizes.Config.Heads, sizes.Config.Layers);
        optimizer = optim.AdamW(model.parameters(), 1e-3, beta2: 0.99, weight_decay: 0.1);
    }

    /// <summary>Takes a step and reads its loss.</summary>
    public double Step()
    {
        using var scope = NewDisposeScope();
        batches.MoveNext();
        using var batch = batches.Current;
        optimizer.zero_grad();
        var loss = Losses.CrossEntropy(model.call(batch.Inputs), batch.Targets);
        loss.backward();
        nn.utils.clip_grad_norm_(model.parameters(), 1);
        foreach (var group in optimizer.ParamGroups) group.LearningRate = 1e-3;
        optimizer.step();
        return loss.item<float>();
    }

    public void Dispose()
    {
        batches.Dispose();
        optimizer.Dispose();
        model.Dispose();
    }
}
