using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Gated recurrent unit: r, z = σ(W x + U h), n = tanh(W x + r (U h)), h ← (1 − z) n + z h.</summary>
/// <remarks>Cho et al., 2014, https://arxiv.org/abs/1406.1078. The rows of each weight are the gates r, z, n.</remarks>
public sealed class Gru(RecurrentShape shape) : RecurrentLayer(shape, gates: 3, nameof(Gru))
{
    private protected override RecurrentOutput Run(Tensor x, Tensor? lengths, RecurrentState state,
        Tensor[] parameters, double dropout)
    {
        var (output, hidden) = RecurrentKernel.Gru(x, lengths, state.Hidden, parameters, Shape, dropout);
        return new RecurrentOutput(output, new RecurrentState(hidden));
    }
}
