using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="Vit"/>.</summary>
internal sealed class PrunableVit : PrunableModel
{
    private const string Width = "width", LayersGroup = "layers", Prefix = "vit.encoder.layer.";
    private readonly VitConfig config;

    public PrunableVit(Vit model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        AddWidth(builder);
        builder.AddLayers(LayersGroup, Prefix, config.Layers);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = $"{Prefix}{layer}";
            builder.Add(Heads(layer), ChannelKind.Heads, config.HeadsOf(layer))
                .Rows($"{own}.attention.attention.query", config.WidthOfHead)
                .Rows($"{own}.attention.attention.key", config.WidthOfHead)
                .Rows($"{own}.attention.attention.value", config.WidthOfHead)
                .Columns($"{own}.attention.output.dense", config.WidthOfHead);
            builder.Add(Mlp(layer), ChannelKind.FeedForward, config.FeedForwardWidthOf(layer))
                .Rows($"{own}.intermediate.dense").Columns($"{own}.output.dense");
        }
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        var layers = kept[LayersGroup];
        var (heads, layerHeads) = kept.Widths(layers, Heads, config.HeadsOf);
        var (inner, layerInner) = kept.Widths(layers, Mlp, config.FeedForwardWidthOf);
        var width = kept.Count(Width);
        return new Vit(config with
        {
            ModelWidth = width,
            Layers = layers.Length,
            Heads = heads,
            LayerHeads = layerHeads,
            HeadWidth = config.WidthOfHead * heads == width ? null : config.WidthOfHead,
            FeedForwardWidth = inner,
            LayerFeedForwardWidths = layerInner,
        });
    }

    public override IReadOnlyList<string> Branches(ChannelGroup group, int layer) =>
        [$"{Prefix}{layer}.attention.output.dense", $"{Prefix}{layer}.output.dense"];

    private static string Heads(int layer) => $"{Prefix}{layer}.attention";

    private static string Mlp(int layer) => $"{Prefix}{layer}.intermediate";

    private void AddWidth(GroupBuilder builder)
    {
        var stream = builder.Add(Width, ChannelKind.Width, config.ModelWidth)
            .Place("vit.embeddings.cls_token", 2, ChannelRole.Writes)
            .Place("vit.embeddings.position_embeddings", 2, ChannelRole.Writes)
            .Rows("vit.embeddings.patch_embeddings.projection");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = $"{Prefix}{layer}";
            stream.Norm($"{own}.layernorm_before").Columns($"{own}.attention.attention.query")
                .Columns($"{own}.attention.attention.key").Columns($"{own}.attention.attention.value")
                .Rows($"{own}.attention.output.dense").Norm($"{own}.layernorm_after").Columns($"{own}.intermediate.dense")
                .Rows($"{own}.output.dense");
        }
        stream.Norm("vit.layernorm").Columns("classifier");
    }
}
