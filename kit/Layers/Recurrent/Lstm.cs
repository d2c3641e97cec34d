using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Long short-term memory: i, f, o = σ(W x + U h), g = tanh(W x + U h), c ← f c + i g, h ← o tanh(c).</summary>
/// <remarks>
/// Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000. The rows of each weight are the gates i, f, g, o.
/// </remarks>
public sealed class Lstm(RecurrentShape shape) : RecurrentLayer(shape, gates: 4, nameof(Lstm))
{
    private protected override RecurrentOutput Run(Tensor x, Tensor? lengths, RecurrentState state,
        Tensor[] parameters, double dropout)
    {
        var (output, hidden, cell) = RecurrentKernel.Lstm(x, lengths, state.Hidden, state.Cell!, parameters, Shape, dropout);
        return new RecurrentOutput(output, new RecurrentState(hidden, cell));
    }
}
