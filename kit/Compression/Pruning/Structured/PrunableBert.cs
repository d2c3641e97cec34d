using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="Bert"/> and of the models with a head on it.</summary>
/// <remarks>
/// The pooler and the first layer of the masked-language head are square, so their outputs lose the same channels as the residual
/// stream.
/// </remarks>
internal sealed class PrunableBert : PrunableModel
{
    private const string Width = "width", LayersGroup = "layers";
    private readonly BertConfig config;
    private readonly Func<BertConfig, nn.Module> make;
    private readonly string prefix;

    public PrunableBert(nn.Module model)
    {
        (config, make, prefix) = model switch
        {
            Bert bert => (bert.Config, config => new Bert(config, bert.HasPooler), ""),
            BertForMaskedLanguageModel bert => (bert.Config, config => new BertForMaskedLanguageModel(config), "bert."),
            BertForSequenceClassification bert => (bert.Config, config => new BertForSequenceClassification(config), "bert."),
            _ => (((BertForTokenClassification)model).Config,
                (Func<BertConfig, nn.Module>)(config => new BertForTokenClassification(config)), "bert."),
        };
        var builder = new GroupBuilder(model);
        AddWidth(builder);
        builder.AddLayers(LayersGroup, $"{prefix}encoder.layer.", config.Layers);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = Layer(layer);
            builder.Add(Heads(layer), ChannelKind.Heads, config.HeadsOf(layer))
                .Rows($"{own}.attention.self.query", config.WidthOfHead).Rows($"{own}.attention.self.key", config.WidthOfHead)
                .Rows($"{own}.attention.self.value", config.WidthOfHead)
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
        return make(config with
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

    private string Layer(int layer) => $"{prefix}encoder.layer.{layer}";

    private string Heads(int layer) => $"{Layer(layer)}.attention";

    private string Mlp(int layer) => $"{Layer(layer)}.intermediate";

    private void AddWidth(GroupBuilder builder)
    {
        var embeddings = $"{prefix}embeddings";
        var stream = builder.Add(Width, ChannelKind.Width, config.ModelWidth).Table($"{embeddings}.word_embeddings")
            .Table($"{embeddings}.position_embeddings").Table($"{embeddings}.token_type_embeddings")
                .Norm($"{embeddings}.LayerNorm");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = Layer(layer);
            stream.Columns($"{own}.attention.self.query").Columns($"{own}.attention.self.key")
                .Columns($"{own}.attention.self.value").Rows($"{own}.attention.output.dense")
                .Norm($"{own}.attention.output.LayerNorm").Columns($"{own}.intermediate.dense").Rows($"{own}.output.dense")
                .Norm($"{own}.output.LayerNorm");
        }
        stream.Rows($"{prefix}pooler.dense").Columns($"{prefix}pooler.dense").Columns("classifier")
            .Rows("cls.predictions.transform.dense").Columns("cls.predictions.transform.dense")
            .Norm("cls.predictions.transform.LayerNorm").Columns("cls.predictions.decoder");
    }
}
