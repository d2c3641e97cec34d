using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="Gpt"/>.</summary>
internal sealed class PrunableGpt : PrunableModel
{
    private const string Width = "width", LayersGroup = "layers";
    private readonly GptConfig config;
    private int[] layers;   // those that stay

    public PrunableGpt(Gpt model)
    {
        config = model.Config;
        layers = [.. Enumerable.Range(0, config.Layers)];
        var builder = new GroupBuilder(model);
        if (config.Positions is Positions.None or Positions.Learned or Positions.Rotary or Positions.Alibi) AddWidth(builder);
        var variations = config.Variations;
        // other layers read the first one's values; a scale by the layer's number moves into the queries, unless these are normed
        if (!variations.MixesFirstValues && !(config.ScaleScoresByLayer && variations.NormalizesQueriesAndKeys))
            builder.AddLayers(LayersGroup, "h.", config.Layers);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var (own, heads, width) = ($"h.{layer}", config.HeadsOf(layer), config.WidthOfHead);
            // ALiBi gives each head a slope by its number
            if (config.Positions != Positions.Alibi)
            {
                var group = builder.Add(Heads(layer), ChannelKind.Heads, heads);
                for (var part = 0; part < 3; part++) group.TransposedRows($"{own}.attn.c_attn", width, part * heads * width);
                group.TransposedColumns($"{own}.attn.c_proj", width);
            }
            builder.Add(Mlp(layer), ChannelKind.FeedForward, config.FeedForwardWidthOf(layer))
                .TransposedRows($"{own}.mlp.c_fc").TransposedColumns($"{own}.mlp.c_proj");
        }
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        if (Groups.Any(group => group.Name == LayersGroup)) layers = kept[LayersGroup];
        var (heads, layerHeads) = kept.Widths(layers, Heads, config.HeadsOf);
        var (inner, layerInner) = kept.Widths(layers, Mlp, config.FeedForwardWidthOf);
        var width = kept.Count(Width, config.ModelWidth);
        return new Gpt(config with
        {
            ModelWidth = width,
            Layers = layers.Length,
            Heads = heads,
            LayerHeads = layerHeads,
            HeadWidth = config.WidthOfHead * heads == width ? null : config.WidthOfHead,
            FeedForwardWidth = config.FeedForwardWidth is null && inner == 4 * width ? null : inner,
            LayerFeedForwardWidths = layerInner,
        });
    }

    public override void Correct(nn.Module smaller)
    {
        if (!config.ScaleScoresByLayer) return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var tensors = smaller.state_dict();
        for (var layer = 0; layer < layers.Length; layer++)
        {
            var queries = ((Gpt)smaller).Config.HeadsOf(layer) * config.WidthOfHead;
            foreach (var part in new[] { "weight", "bias" })
                tensors[$"h.{layer}.attn.c_attn.{part}"].narrow(-1, 0, queries).mul_((layer + 1.0) / (layers[layer] + 1));
        }
    }

    public override IReadOnlyList<string> Branches(ChannelGroup group, int layer) =>
        [$"h.{layer}.attn.c_proj", $"h.{layer}.mlp.c_proj"];

    private static string Heads(int layer) => $"h.{layer}.attn";

    private static string Mlp(int layer) => $"h.{layer}.mlp";

    private void AddWidth(GroupBuilder builder)
    {
        var stream = builder.Add(Width, ChannelKind.Width, config.ModelWidth).Table("wte").Table("wpe");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var own = $"h.{layer}";
            stream.Norm($"{own}.ln_1").TransposedColumns($"{own}.attn.c_attn").TransposedRows($"{own}.attn.c_proj")
                .Norm($"{own}.ln_2").TransposedColumns($"{own}.mlp.c_fc").TransposedRows($"{own}.mlp.c_proj");
        }
        stream.Norm("ln_f").Columns("lm_head");
    }
}
