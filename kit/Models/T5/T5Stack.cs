using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Inputs of a forward pass of the encoder or decoder besides the embeddings.</summary>
/// <param name="Mask">Mask and bias of self-attention.</param>
/// <param name="Memory">
/// Output of the encoder, [batch, source time, channels]; null in the encoder itself.
/// </param>
/// <param name="MemoryMask">Mask of cross-attention.</param>
/// <param name="Cache">Keys and values of earlier tokens and of the source; null for none.</param>
internal sealed record T5Pass(AttentionMask Mask, Tensor? Memory = null, AttentionMask? MemoryMask = null,
    KeyValueCache? Cache = null)
    : IPass<T5Pass>
{
    /// <inheritdoc/>
    /// <remarks>Never with a cache: what is read twice must not be written into it twice.</remarks>
    public bool Recomputes { get => field && Cache is null; init; }

    /// <inheritdoc/>
    public IReadOnlyList<Tensor?> Tensors => [Mask.ScoreBias, Mask.Padding, Memory, MemoryMask?.Padding];

    /// <inheritdoc/>
    public T5Pass With(IReadOnlyList<Tensor?> tensors) => this with
    {
        Mask = Mask with { ScoreBias = tensors[0], Padding = tensors[1] },
        Memory = tensors[2],
        MemoryMask = MemoryMask is null ? null : MemoryMask with { Padding = tensors[3] },
    };
}

/// <summary>The encoder or the decoder of a <see cref="T5"/>.</summary>
internal sealed class T5Stack : Module
{
    private readonly ModuleList<T5Block> block;
    private readonly RmsNorm final_layer_norm;
    private readonly Dropout dropout;
    private readonly HookPoint hook_embed = new();   // [batch, time, channels]

    public T5Stack(T5Config config, int layers, bool isDecoder) : base(nameof(T5Stack))
    {
        block = ModuleList([.. Enumerable.Range(0, layers).Select(layer => new T5Block(config, layer, isDecoder))]);
        final_layer_norm = new RmsNorm(config.ModelWidth, config.NormEpsilon);
        dropout = Dropout(config.Dropout);
        RegisterComponents();
    }

    public bool RecomputesBlocks { get; set; }

    /// <param name="x">Token embeddings, [batch, time, channels].</param>
    /// <param name="pass">Masks, encoder output and cache.</param>
    /// <returns>[batch, time, channels].</returns>
    public Tensor Read(Tensor x, T5Pass pass)
    {
        using var scope = NewDisposeScope();
        using var offset = TokenOffset.Begin(pass.Cache?.Length);
        var time = x.shape[1];
        // All layers use the relative position bias of the first layer.
        var mask = pass.Mask with { ScoreBias = block[0].ScoreBias(time, (pass.Cache?.Length ?? 0) + time) };
        pass = pass with { Mask = mask, Recomputes = RecomputesBlocks };
        x = dropout.call(hook_embed.Pass(x));
        foreach (var each in block) x = each.call(x, pass);
        pass.Cache?.Advance(time);
        return dropout.call(final_layer_norm.call(x)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// One layer: x ← x + branch(norm(x)) for self-attention, cross-attention (in the decoder) and an MLP.
/// </summary>
internal sealed class T5Block : Module, IBlock<T5Pass>
{
    private readonly ModuleList<T5Branch> layer;
    // [batch, time, channels]
    private readonly HookPoint hook_resid_pre = new(), hook_resid_mid = new(), hook_resid_post = new();
    private readonly HookPoint? hook_resid_mid_cross;   // between cross-attention and MLP, in the decoder

    public T5Block(T5Config config, int index, bool isDecoder) : base(nameof(T5Block))
    {
        var self = new T5SelfAttentionBranch(config, index, isDecoder);
        var feedForward = new T5FeedForwardBranch(config, config.FeedForwardWidthOf(isDecoder, index));
        layer = isDecoder ? ModuleList<T5Branch>(self, new T5CrossAttentionBranch(config, index), feedForward)
            : ModuleList<T5Branch>(self, feedForward);
        hook_resid_mid_cross = isDecoder ? new HookPoint() : null;
        RegisterComponents();
    }

    /// <summary>Returns the relative position bias of this layer: [1, head, query, key].</summary>
    public Tensor ScoreBias(long queries, long keys) => ((T5SelfAttentionBranch)layer[0]).ScoreBias(queries, keys);

    public Tensor Step(Tensor x, T5Pass pass)
    {
        using var scope = NewDisposeScope();
        x = hook_resid_mid.Pass(layer[0].Add(hook_resid_pre.Pass(x), pass));
        if (hook_resid_mid_cross is not null) x = hook_resid_mid_cross.Pass(layer[1].Add(x, pass));
        return hook_resid_post.Pass(layer[^1].Add(x, pass)).MoveToOuterDisposeScope();
    }
}
