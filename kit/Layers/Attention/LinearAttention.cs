using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// φ(q)ᵀ Σ φ(k) vᵀ / φ(q)ᵀ Σ φ(k), summed over the tokens so far: time and memory grow linearly with the
/// length.
/// </summary>
/// <remarks>
/// Katharopoulos et al., 2020, https://arxiv.org/abs/2006.16236, with their φ(x) = elu(x) + 1. The sequence is
/// processed in chunks. The causal sums are carried from chunk to chunk as a state of [d_head, d_head]; within
/// a chunk, attention is computed directly.
/// </remarks>
public sealed class LinearAttention : Module<Tensor, Tensor>
{
    private readonly Dense q_proj, k_proj, v_proj, o_proj;
    private readonly int heads, piece;

    /// <param name="width">Channels of the tokens, d_model.</param>
    /// <param name="heads">Number of heads; must divide <paramref name="width"/>.</param>
    /// <param name="piece">Tokens in a chunk; changes the running time, not the result.</param>
    public LinearAttention(int width, int heads, int piece = 64) : base(nameof(LinearAttention))
    {
        if (heads < 1 || width % heads != 0)
            throw new ArgumentException($"Width {width} is not divisible by {heads} heads.", nameof(heads));
        if (piece < 1) throw new ArgumentException($"The piece is {piece}; it must be at least 1.", nameof(piece));
        this.heads = heads;
        this.piece = piece;
        q_proj = Initialization.Dense(width, width, bias: false);
        k_proj = Initialization.Dense(width, width, bias: false);
        v_proj = Initialization.Dense(width, width, bias: false);
        o_proj = Initialization.Dense(width, width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var query = Feature(q_proj.call(x).SplitHeads(heads));   // [batch, head, time, d_head]
        var key = Feature(k_proj.call(x).SplitHeads(heads));
        var value = v_proj.call(x).SplitHeads(heads);
        return o_proj.call(Mix(query, key, value).MergeHeads()).MoveToOuterDisposeScope();
    }

    /// <summary>Computes φ(x) = elu(x) + 1, which is positive.</summary>
    private static Tensor Feature(Tensor x) => functional.elu(x, 1) + 1;

    private Tensor Mix(Tensor query, Tensor key, Tensor value)
    {
        Tensor? memory = null, total = null;   // Σ φ(k) vᵀ: [batch, head, d_head, d_head]; Σ φ(k): [batch, head, d_head, 1]
        var time = query.shape[2];
        var mixed = new List<Tensor>();
        for (long at = 0; at < time; at += piece)
        {
            var length = Math.Min(piece, time - at);
            var q = query.narrow(2, at, length);
            var k = key.narrow(2, at, length);
            var v = value.narrow(2, at, length);
            var scores = q.MatMul(k.transpose(-2, -1)).tril();   // [batch, head, query, key]
            var above = scores.MatMul(v);
            var below = scores.sum(-1, keepdim: true);
            if (memory is not null)
            {
                above = above + q.MatMul(memory);
                below = below + q.MatMul(total!);
            }
            mixed.Add(above / below);
            if (at + length == time) break;
            var more = k.transpose(-2, -1).MatMul(v);
            var sum = k.sum(2).unsqueeze(-1);
            (memory, total) = memory is null ? (more, sum) : (memory + more, total! + sum);
        }
        return mixed.Count == 1 ? mixed[0] : cat(mixed, 2);
    }
}
