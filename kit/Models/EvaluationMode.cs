using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Puts a model into evaluation mode until it is disposed, then restores its mode.</summary>
/// <remarks>
/// Does nothing if all modules are in evaluation mode already, because setting the mode costs as much as many
/// of the operations for a token.
/// </remarks>
internal sealed class EvaluationMode : IDisposable
{
    private readonly nn.Module network;
    private readonly bool training, changed;

    public EvaluationMode(nn.Module network)
    {
        this.network = network;
        training = network.training;
        changed = training || network.modules().Any(module => module.training);
        if (changed) network.eval();
    }

    public void Dispose()
    {
        if (changed) network.train(training);
    }
}
