using ResearchKit.Checkpoints;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Restores a model's weights and buffers when it is disposed, unless <see cref="Forget"/> was called.
/// </summary>
internal sealed class WeightSnapshot : IDisposable
{
    private readonly nn.Module model;
    private readonly Dictionary<string, Tensor> before;
    private readonly bool training;
    private bool forgotten;

    private WeightSnapshot(nn.Module model)
    {
        using var noGrad = no_grad();
        this.model = model;
        training = model.training;
        before = model.state_dict().ToDictionary(pair => pair.Key, pair => pair.Value.detach().clone().DetachFromDisposeScope());
    }

    /// <summary>Takes a snapshot of the current weights.</summary>
    public static WeightSnapshot Of(nn.Module model) => new(model);

    /// <summary>Keeps the current weights instead of restoring the snapshot.</summary>
    public void Forget() => forgotten = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!forgotten)
        {
            StateDict.Load(model, before, "the model as it was");
            model.train(training);
        }
        foreach (var tensor in before.Values) tensor.Dispose();
    }
}
