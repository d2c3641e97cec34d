using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of <see cref="T5"/>.</summary>
/// <remarks>
/// All layers of the encoder, and all of the decoder, share the position bias of their first layer, so a head of self-attention
/// is removed from all of them.
/// </remarks>
internal sealed class PrunableT5 : PrunableModel
{
    private const string Width = "width";
    private static readonly string[] Stacks = ["encoder", "decoder"];
    private readonly T5Config config;

    public PrunableT5(T5 model)
    {
        config = model.Config;
        var builder = new GroupBuilder(model);
        var stream = builder.Add(Width, ChannelKind.Width, config.ModelWidth).Table("shared");
        foreach (var stack in Stacks) AddStack(builder, stream, stack, stack == Stacks[1]);
        stream.Columns("lm_head");
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept)
    {
        var (encoder, decoder) = (kept[LayersOf("encoder")], kept[LayersOf("decoder")]);
        var heads = kept.Count(HeadsOf("encoder"));
        var decoderHeads = kept.Count(HeadsOf("decoder"));
        var (_, cross) = kept.Widths(decoder, Cross, _ => config.Heads);
        int[] crossHeads = [.. decoder.Select(layer => kept.Count(Cross(layer)))];
        var (inner, layerInner) = kept.Widths(encoder, layer => Mlp("encoder", layer), _ => config.FeedForwardWidth);
        int[] decoderInner = [.. decoder.Select(layer => kept.Count(Mlp("decoder", layer)))];
        return new T5(config with
        {
            ModelWidth = kept.Count(Width),
            Layers = encoder.Length,
            DecoderLayers = decoder.Length == encoder.Length ? null : decoder.Length,
            Heads = heads,
            DecoderHeads = decoderHeads == heads ? null : decoderHeads,
            CrossAttentionHeads = cross is null && crossHeads[0] == heads ? null : crossHeads,
            FeedForwardWidth = inner,
            LayerFeedForwardWidths = layerInner,
            DecoderLayerFeedForwardWidths = decoderInner.All(width => width == inner) ? null : decoderInner,
        });
    }

    /// <summary>
    /// A tied head divides by the root of the width, which has changed: the last norm makes up for it.
    /// </summary>
    public override void Correct(nn.Module smaller)
    {
        var width = ((T5)smaller).Config.ModelWidth;
        if (!config.TieEmbeddings || width == config.ModelWidth) return;
        using var noGrad = no_grad();
        var norm = ModelTensors.Of(smaller)["decoder.final_layer_norm.weight"];
        norm.mul_(Math.Sqrt(width / (double)config.ModelWidth));
    }

    public override IReadOnlyList<string> Branches(ChannelGroup group, int layer)
    {
        var own = $"{group.LayerPrefix}{layer}.layer";
        return group.LayerPrefix!.StartsWith("encoder", StringComparison.Ordinal)
            ? [$"{own}.0.SelfAttention.o", $"{own}.1.DenseReluDense.wo"]
            : [$"{own}.0.SelfAttention.o", $"{own}.1.EncDecAttention.o", $"{own}.2.DenseReluDense.wo"];
    }

    private static string LayersOf(string stack) => $"{stack}.layers";

    private static string HeadsOf(string stack) => $"{stack}.SelfAttention";

    private static string Cross(int layer) => $"decoder.block.{layer}.layer.1.EncDecAttention";

    private static string Mlp(string stack, int layer) =>
        $"{stack}.block.{layer}.layer.{(stack == Stacks[0] ? 1 : 2)}.DenseReluDense";

    private void AddStack(GroupBuilder builder, GroupAxes stream, string stack, bool isDecoder)
    {
        var count = isDecoder ? config.LayersOfDecoder : config.Layers;
        builder.AddLayers(LayersOf(stack), $"{stack}.block.", count);
        var heads = builder.Add(HeadsOf(stack), ChannelKind.Heads, config.SelfAttentionHeads(isDecoder))
            .Place($"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 1, ChannelRole.Norm);
        for (var layer = 0; layer < count; layer++)
        {
            var own = $"{stack}.block.{layer}.layer";
            AddAttention(heads, stream, $"{own}.0.SelfAttention", $"{own}.0.layer_norm");
            if (isDecoder)
                AddAttention(builder.Add(Cross(layer), ChannelKind.Heads, config.CrossAttentionHeads.At(layer, config.Heads)),
                    stream, Cross(layer), $"{own}.1.layer_norm");
            var mlp = Mlp(stack, layer);
            var inner = builder.Add(mlp, ChannelKind.FeedForward, config.FeedForwardWidthOf(isDecoder, layer))
                .Columns($"{mlp}.wo");
            stream.Norm($"{own}.{(isDecoder ? 2 : 1)}.layer_norm").Rows($"{mlp}.wo");
            foreach (var part in new[] { "wi", "wi_0", "wi_1" })
            {
                inner.Rows($"{mlp}.{part}");
                stream.Columns($"{mlp}.{part}");
            }
        }
        stream.Norm($"{stack}.final_layer_norm");
    }

    private void AddAttention(GroupAxes heads, GroupAxes stream, string own, string norm)
    {
        foreach (var part in new[] { "q", "k", "v" })
        {
            heads.Rows($"{own}.{part}", config.HeadWidth);
            stream.Columns($"{own}.{part}");
        }
        heads.Columns($"{own}.o", config.HeadWidth);
        stream.Norm(norm).Rows($"{own}.o");
    }
}
