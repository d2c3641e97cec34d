using ResearchKit.Data;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// A training loop as one writes it by hand with TorchSharp's modules and AdamW, which does what the trainer does.
/// </summary>
/// <remarks>
/// In a process of its own: there MKL takes the paths that it takes without the kit, which tells it others for the whole process.
/// </remarks>
internal sealed class HandLoop : IDisposable
{
    /// <summary>The argument that makes this program hold the loop ready (<see cref="ChildTimer"/>).</summary>
    public const string Command = "hand-loop";

    private readonly PlainGpt model;
    private readonly optim.Optimizer optimizer;
    private readonly IEnumerator<Batch> batches = GptTraining.Loader().Batches().GetEnumerator();

    public HandLoop()
    {
        using var sizes = GptTraining.Model();
        model = new PlainGpt(sizes.Config.VocabularySize, sizes.Config.ContextLength, sizes.Config.ModelWidth, sizes.Config.Heads,
            sizes.Config.Layers);
        optimizer = optim.AdamW(model.parameters(), 1e-3, beta2: 0.99, weight_decay: 0.1);
    }

    /// <summary>Starts this program again, with the loop ready.</summary>
    public static ChildTimer Start() => ChildTimer.OfThisProgram("The loop by hand could not be started.", Command);

    /// <summary>A step for each line of the input.</summary>
    public static void Serve()
    {
        using var loop = new HandLoop();
        ChildTimer.Serve(Pair.Time(() => loop.Step()));
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
