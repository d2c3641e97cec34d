using ResearchKit.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>The <see cref="Llama"/> model without its head.</summary>
internal sealed class LlamaDecoder : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable embed_tokens;
    private readonly ModuleList<LlamaLayer> layers;
    private readonly RmsNorm norm;
    private readonly HookPoint hook_embed = new();   // [batch, time, channels]
    // in an array so that it is not registered: it has no parameters to save
    private readonly RotaryPositions[] rotary;

    public LlamaDecoder(LlamaConfig config) : base(nameof(LlamaDecoder))
    {
        embed_tokens = new EmbeddingTable(config.VocabularySize, config.ModelWidth,
            config.PaddingToken)
        { Unembeds = config.TieEmbeddings };
        layers = ModuleList([.. Enumerable.Range(0, config.Layers).Select(layer => new LlamaLayer(config, layer))]);
        norm = new RmsNorm(config.ModelWidth, config.NormEpsilon);
        rotary = [new RotaryPositions(config.WidthOfHead, config.RotaryBase, config.RotaryScaling)];
        RegisterComponents();
    }

    public bool RecomputesBlocks { get; set; }

    /// <param name="tokens">int64 [batch, time].</param>
    /// <returns>[batch, time, channels].</returns>
    public override Tensor forward(Tensor tokens) => Read(tokens, DecoderPass.Plain);

    public Tensor Read(Tensor tokens, DecoderPass pass)
    {
        using var scope = NewDisposeScope();
        using var offset = TokenOffset.Begin(pass.Cache?.Length);
        var x = Embed(tokens);   // [batch, time, channels]
        pass = pass with { Recomputes = RecomputesBlocks, Rotation = rotary[0].At(pass.PositionsOf(tokens), x.dtype) };
        foreach (var layer in layers) x = layer.call(x, pass);
        return norm.call(x).MoveToOuterDisposeScope();
    }

    public Tensor Embed(Tensor tokens) => hook_embed.Pass(embed_tokens.call(tokens));

    /// <summary>The first query projection's weight; null while it is neither packed nor quantized.</summary>
    public PackedMatrix? FirstWeight => layers[0].FirstWeight;

    /// <summary>What a step of one token computes; null where a product is computed otherwise.</summary>
    public StepPlan? Plan(LlamaConfig config, Dense? head)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var steps = layers.Select((layer, place) => layer.Step(config.HeadsOf(place), config.KeyValueHeadsOf(place)))
            .OfType<StepLayer>().ToList();
        return steps.Count < layers.Count || embed_tokens.Rows() is not { } tokens ? null
            : new StepPlan(tokens, null, [.. rotary[0].Frequencies(CPU).data<float>()], steps, norm.Step(),
                head is null ? embed_tokens.Step() : head.Step(), config.Activation, config.WidthOfHead);
    }

    public DecoderPass PassFrom(int start, long time, Tensor stream, EarlierTokens? earlier) => DecoderPass.Plain with
    {
        Start = start,
        Earlier = earlier,
        Rotation = rotary[0].At(arange(start, start + time, 1, int64, stream.device), stream.dtype),
    };

    public Tensor RunLayer(int layer, Tensor stream, DecoderPass pass) => layers[layer].call(stream, pass);

    public (Tensor Queries, Tensor Keys, Tensor Values) ReadHeads(int layer, Tensor stream, DecoderPass pass) =>
        layers[layer].ReadHeads(stream, pass);

    public Tensor Normalize(Tensor stream) => norm.call(stream);

    /// <summary>Computes logits with the weight of the embeddings: [..., channels] to [..., vocabulary].</summary>
    public Tensor Unembed(Tensor features) => embed_tokens.Unembed(features);
}
