using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>While this is alive a model is in evaluation mode; then it is in the mode it was in.</summary>
internal sealed class EvaluationMode : IDisposable
{
    private readonly nn.Module network;
    private readonly bool training;

    public EvaluationMode(nn.Module network)
    {
        (this.network, training) = (network, network.training);
        network.eval();
    }

    public void Dispose() => network.train(training);
}
