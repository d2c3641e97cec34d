using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Sizes of a <see cref="LatentAttention"/>.</summary>
public sealed record LatentAttentionSizes
{
    /// <summary>Channels of the tokens, d_model.</summary>
    public required int Width { get; init; }

    /// <summary>Number of heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Rank of the queries: channels of the compressed vector that they are computed from.</summary>
    public required int QueryRank { get; init; }

    /// <summary>
    /// Rank of the keys and values: channels of the compressed vector that they are computed from. A key-value
    /// cache would hold this many numbers a token plus <see cref="RotaryWidth"/>.
    /// </summary>
    public required int KeyValueRank { get; init; }

    /// <summary>Channels of a head's queries and keys without position.</summary>
    public required int PlainWidth { get; init; }

    /// <summary>
    /// Channels of a head's queries and keys with rotary positions; even. All heads share these keys.
    /// </summary>
    public required int RotaryWidth { get; init; }

    /// <summary>Channels of a head's values.</summary>
    public required int ValueWidth { get; init; }

    internal LatentAttentionSizes Validated()
    {
        foreach (var (value, name) in new[] { (Width, nameof(Width)), (Heads, nameof(Heads)), (QueryRank, nameof(QueryRank)),
            (KeyValueRank, nameof(KeyValueRank)),
            (PlainWidth, nameof(PlainWidth)), (RotaryWidth, nameof(RotaryWidth)), (ValueWidth, nameof(ValueWidth)) })
            if (value < 1) throw new ArgumentException($"{name} is {value}; it must be at least 1.");
        return this;
    }
}

/// <summary>
/// Attention whose keys and values are computed from one low-rank vector a token, so that a key-value cache
/// could be small.
/// </summary>
/// <remarks>
/// Multi-head latent attention, DeepSeek-V2, 2024, https://arxiv.org/abs/2405.04434, §2.1: c = W_DKV h, then k = [W_UK c;
/// RoPE(W_KR h)], v = W_UV c. Queries are computed likewise from a low-rank vector of their own. Causal, no biases.
/// Parameter names and layouts, including interleaved rotary pairs, are those of the published checkpoints.
/// </remarks>
public sealed class LatentAttention : Module<Tensor, Tensor>
{
    private readonly Dense q_a_proj, q_b_proj, kv_a_proj_with_mqa, kv_b_proj, o_proj;
    private readonly RmsNorm q_a_layernorm, kv_a_layernorm;
    private readonly HookPoint hook_pattern = new();   // [batch, head, query, key]
    private readonly RotaryPositions rotary;
    private readonly LatentAttentionSizes sizes;

    /// <exception cref="ArgumentException">A size is below 1, or the rotary width is odd.</exception>
    public LatentAttention(LatentAttentionSizes sizes) : base(nameof(LatentAttention))
    {
        this.sizes = sizes.Validated();
        rotary = new RotaryPositions(sizes.RotaryWidth);
        q_a_proj = Initialization.Dense(sizes.Width, sizes.QueryRank, bias: false);
        q_a_layernorm = new RmsNorm(sizes.QueryRank);
        q_b_proj = Initialization.Dense(sizes.QueryRank, sizes.Heads * (sizes.PlainWidth + sizes.RotaryWidth), bias: false);
        kv_a_proj_with_mqa = Initialization.Dense(sizes.Width, sizes.KeyValueRank + sizes.RotaryWidth, bias: false);
        kv_a_layernorm = new RmsNorm(sizes.KeyValueRank);
        kv_b_proj = Initialization.Dense(sizes.KeyValueRank, sizes.Heads * (sizes.PlainWidth + sizes.ValueWidth), bias: false);
        o_proj = Initialization.Dense(sizes.Heads * sizes.ValueWidth, sizes.Width, bias: false);
        RegisterComponents();
    }

    /// <param name="x">[batch, time, channels].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var q = q_b_proj.call(q_a_layernorm.call(q_a_proj.call(x))).SplitHeads(sizes.Heads)
            // [batch, head, time, plain], [.., rotary]
            .split([sizes.PlainWidth, sizes.RotaryWidth], -1);
        var narrow = kv_a_proj_with_mqa.call(x).split([sizes.KeyValueRank, sizes.RotaryWidth], -1);
        var kv = kv_b_proj.call(kv_a_layernorm.call(narrow[0])).SplitHeads(sizes.Heads)
            // [batch, head, time, plain], [.., value]
            .split([sizes.PlainWidth, sizes.ValueWidth], -1);
        var shared = Rotate(narrow[1].unsqueeze(1)).expand(-1, sizes.Heads, -1, -1);            // [batch, head, time, rotary]
        var query = cat([q[0], Rotate(q[1])], -1);
        var key = cat([kv[0], shared], -1);
        var mixed = ScaledDotProductAttention.Attend(query, key, kv[1], AttentionMask.CausalOnly, hook_pattern);
        return o_proj.call(mixed.MergeHeads()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Applies rotary positions to interleaved pairs, which is the layout of the published checkpoints.
    /// </summary>
    private Tensor Rotate(Tensor x)
    {
        var shape = x.shape;   // [batch, head, time, rotary]
        return rotary.Rotate(x.reshape([.. shape[..^1], shape[^1] / 2, 2]).transpose(-1, -2).reshape(shape), 0);
    }
}
