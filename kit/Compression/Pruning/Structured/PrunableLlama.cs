using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="Llama"/>. A head is a key head with the query heads that share it.</summary>
internal sealed class PrunableLlama : PrunableModel
{
    private const string Width = "width", LayersGroup = "layers";
    private readonly LlamaConfig config;

    public PrunableLlama(Llama model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var stream = builder.Add(Width, ChannelKind.Width, config.ModelWidth).Table("model.embed_tokens");
        builder.AddLayers(LayersGroup, "model.layers.", config.Layers);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = $"model.layers.{layer}";
            var queries = config.QueriesPerKey * config.WidthOfHead;
            builder.Add(Heads(layer), ChannelKind.Heads, config.KeyValueHeadsOf(layer))
                .Rows($"{own}.self_attn.q_proj", queries).Rows($"{own}.self_attn.k_proj", config.WidthOfHead)
                .Rows($"{own}.self_attn.v_proj", config.WidthOfHead).Columns($"{own}.self_attn.o_proj", queries);
            builder.Add(Mlp(layer), ChannelKind.FeedForward, config.FeedForwardWidthOf(layer))
                .Rows($"{own}.mlp.gate_proj").Rows($"{own}.mlp.up_proj").Columns($"{own}.mlp.down_proj");
            stream.Norm($"{own}.input_layernorm").Columns($"{own}.self_attn.q_proj").Columns($"{own}.self_attn.k_proj")
                .Columns($"{own}.self_attn.v_proj").Rows($"{own}.self_attn.o_proj").Norm($"{own}.post_attention_layernorm")
                .Columns($"{own}.mlp.gate_proj").Columns($"{own}.mlp.up_proj").Rows($"{own}.mlp.down_proj");
        }
        stream.Norm("model.norm").Columns("lm_head");
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        var layers = kept[LayersGroup];
        var (keys, layerKeys) = kept.Widths(layers, Heads, config.KeyValueHeadsOf);
        var (inner, layerInner) = kept.Widths(layers, Mlp, config.FeedForwardWidthOf);
        var width = kept.Count(Width);
        var heads = keys * config.QueriesPerKey;
        return new Llama(config with
        {
            ModelWidth = width,
            Layers = layers.Length,
            Heads = heads,
            KeyValueHeads = config.KeyValueHeads is null ? null : keys,
            LayerHeads = layerKeys is null ? null : [.. layerKeys.Select(count => count * config.QueriesPerKey)],
            HeadWidth = config.WidthOfHead * heads == width ? null : config.WidthOfHead,
            FeedForwardWidth = inner,
            LayerFeedForwardWidths = layerInner,
        });
    }

    public override IReadOnlyList<string> Branches(ChannelGroup group, int layer) =>
        [$"model.layers.{layer}.self_attn.o_proj", $"model.layers.{layer}.mlp.down_proj"];

    private static string Heads(int layer) => $"model.layers.{layer}.self_attn";

    private static string Mlp(int layer) => $"model.layers.{layer}.mlp";
}
