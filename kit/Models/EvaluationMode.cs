using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>While this is alive a model is in evaluation mode; then it is in the mode it was in.</summary>
/// <remarks>
/// Nothing is done to a model whose every module is in that mode: to set it anew takes as long as many of a token's operations.
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
