using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>How a parameter is laid out in a GGUF file.</summary>
internal enum GgufLayout
{
    /// <summary>As in the model.</summary>
    Same,

    /// <summary>Transposed: GPT-2 stores its matrices as [in, out].</summary>
    Transposed,

    /// <summary>
    /// Rows of each head by pairs that rotate together, where the model has the first halves of the pairs, then the second.
    /// </summary>
    RotaryPairs,

    /// <summary>
    /// A copy for llama.cpp, divided by the root of the width: T5's output layer where it shares the embeddings' weight.
    /// </summary>
    ScaledCopy,
}

/// <summary>A tensor of a GGUF file and the parameter of the model that it holds.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Parameter">Its name in the model.</param>
/// <param name="Layout">How it is laid out.</param>
/// <param name="Heads">Heads of a weight in rotary pairs.</param>
internal sealed record GgufEntry(string Name, string Parameter, GgufLayout Layout = GgufLayout.Same, int Heads = 0)
{
    private static readonly string[] Whole = ["position_embd", "token_types", "attn_rel_b"];

    /// <summary>
    /// Whether it is stored in blocks of few bits where those are asked for: llama.cpp wants vectors and tables of positions and
    /// types whole.
    /// </summary>
    public bool IsQuantized(Tensor parameter) =>
        parameter.dim() == 2 && !Whole.Any(name => Name.Contains(name, StringComparison.Ordinal));

    /// <summary>The tensor of the file, from the parameter; the caller disposes it.</summary>
    public Tensor ToFile(Tensor parameter) => Layout switch
    {
        GgufLayout.Transposed => parameter.t(),
        GgufLayout.RotaryPairs => Swapped(parameter, [Heads, 2, -1, parameter.shape[^1]]),
        GgufLayout.ScaledCopy => parameter / Math.Sqrt(parameter.shape[^1]),
        _ => parameter.alias(),
    };

    /// <summary>The parameter, from the tensor of the file; the caller disposes it.</summary>
    public Tensor FromFile(Tensor stored) => Layout switch
    {
        GgufLayout.Transposed => stored.t(),
        GgufLayout.RotaryPairs => Swapped(stored, [Heads, -1, 2, stored.shape[^1]]),
        _ => stored.alias(),
    };

    private static Tensor Swapped(Tensor weight, long[] heads)
    {
        using var scope = NewDisposeScope();
        return weight.reshape(heads).transpose(1, 2).reshape(weight.shape).MoveToOuterDisposeScope();
    }
}
