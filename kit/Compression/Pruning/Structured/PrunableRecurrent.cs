using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Dependency groups of recurrent models: the units of each layer and direction, which lose equally many.</summary>
internal sealed class PrunableRecurrent : PrunableModel
{
    private const string Embedding = "embedding";
    private readonly Func<KeptChannels, nn.Module> make;

    public PrunableRecurrent(nn.Module model)
    {
        var builder = new GroupBuilder(model);
        var (shape, prefix, reader) = model switch
        {
            RecurrentClassifier classifier => (ShapeOf(classifier.Config), "rnn.", "head"),
            RecurrentLanguageModel language => (ShapeOf(language.Config), "rnn.", "head"),
            _ => (((RecurrentLayer)model).Shape, "", null),
        };
        var gates = model is Lstm or RecurrentClassifier { Config.Cell: RecurrentCell.Lstm }
            or RecurrentLanguageModel { Config.Cell: RecurrentCell.Lstm } ? 4 : 3;
        var top = AddUnits(builder, shape, prefix, gates, reader);
        if (model is RecurrentLanguageModel { Config: var config })
        {
            var channels = config.TiedEmbedding ? top : builder.Add(Embedding, ChannelKind.Embedding, config.EmbeddingWidth);
            channels.Table("embedding").Place("rnn.weight_ih_l0", 1, ChannelRole.Reads);
        }
        var first = $"{prefix}l0";
        make = kept => Make(model, kept.Count(first), kept.Count(Embedding, kept.Count(first)));
        Groups = builder.Groups;
    }

    public override IReadOnlyList<ChannelGroup> Groups { get; }

    public override nn.Module Make(KeptChannels kept) => make(kept);

    private static nn.Module Make(nn.Module model, int hidden, int embedding) => model switch
    {
        RecurrentClassifier classifier => new RecurrentClassifier(classifier.Config with { HiddenWidth = hidden }),
        RecurrentLanguageModel language => new RecurrentLanguageModel(language.Config with
        {
            HiddenWidth = hidden,
            EmbeddingWidth = embedding,
        }),
        Lstm lstm => new Lstm(lstm.Shape with { HiddenWidth = hidden }),
        _ => new Gru(((Gru)model).Shape with { HiddenWidth = hidden }),
    };

    private static RecurrentShape ShapeOf(RecurrentClassifierConfig config) => new()
    {
        InputWidth = config.InputWidth,
        HiddenWidth = config.HiddenWidth,
        Layers = config.Layers,
        Bidirectional = config.Bidirectional,
    };

    private static RecurrentShape ShapeOf(RecurrentLanguageModelConfig config) => new()
    {
        InputWidth = config.EmbeddingWidth,
        HiddenWidth = config.HiddenWidth,
        Layers = config.Layers,
    };

    /// <summary>Adds a group for each layer and direction; returns the last one.</summary>
    private static GroupAxes AddUnits(GroupBuilder builder, RecurrentShape shape, string prefix, int gates, string? reader)
    {
        GroupAxes units = null!;
        for (var layer = 0; layer < shape.Layers; layer++)
            for (var direction = 0; direction < shape.Directions; direction++)
            {
                var own = $"l{layer}{(direction == 0 ? "" : "_reverse")}";
                units = builder.Add(prefix + own, ChannelKind.Hidden, shape.HiddenWidth, equalCounts: "units");
                for (var gate = 0; gate < gates; gate++)
                    foreach (var part in new[] { "weight_ih", "weight_hh", "bias_ih", "bias_hh" })
                        units.Place($"{prefix}{part}_{own}", 0, ChannelRole.Writes, 1, gate * shape.HiddenWidth);
                units.Place($"{prefix}weight_hh_{own}", 1, ChannelRole.Reads);
                var offset = direction * shape.HiddenWidth;
                if (layer == shape.Layers - 1)
                {
                    if (reader is not null) units.Columns(reader, 1, offset);
                    continue;
                }
                foreach (var other in shape.Bidirectional ? new[] { "", "_reverse" } : [""])
                    units.Place($"{prefix}weight_ih_l{layer + 1}{other}", 1, ChannelRole.Reads, 1, offset);
            }
        return units;
    }
}
