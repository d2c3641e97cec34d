using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>How the channels of one model can be removed: its groups, and the smaller model.</summary>
internal abstract class PrunableModel
{
    /// <summary>The dependency groups of the model.</summary>
    public abstract IReadOnlyList<ChannelGroup> Groups { get; }

    /// <summary>Creates the smaller model, whose tensors are filled afterwards.</summary>
    public abstract nn.Module Make(KeptChannels kept);

    /// <summary>Corrects what depends on a width, once the tensors are filled.</summary>
    public virtual void Correct(nn.Module smaller)
    {
    }

    /// <summary>The layers that write what a whole layer adds to the residual stream, by its number; null if it adds nothing
    /// that could be zero, as in models that normalise after the addition.</summary>
    /// <param name="group">A group of layers.</param>
    /// <param name="layer">Number of the layer.</param>
    public virtual IReadOnlyList<string>? Branches(ChannelGroup group, int layer) => null;

    /// <exception cref="ArgumentException">The model is not one whose channels are known.</exception>
    public static PrunableModel Of(nn.Module model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Packing.Refuse(model, "pruned");
        if (model.modules().OfType<LowRankAdapter>().Any())
            throw new ArgumentException("The model has adapters; merge them and save the weights before removing channels.",
                nameof(model));
        return model switch
        {
            Gpt gpt => new PrunableGpt(gpt),
            Llama llama => new PrunableLlama(llama),
            Bert or BertForMaskedLanguageModel or BertForSequenceClassification or BertForTokenClassification
                => new PrunableBert(model),
            T5 t5 => new PrunableT5(t5),
            Vit vit => new PrunableVit(vit),
            Vgg vgg => new PrunableVgg(vgg),
            ResNet network => new PrunableResNet(network),
            GoogLeNet network => new PrunableGoogLeNet(network),
            InceptionV3 network => new PrunableInceptionV3(network),
            RecurrentClassifier or RecurrentLanguageModel or RecurrentLayer => new PrunableRecurrent(model),
            _ => throw new ArgumentException($"{model.GetName()} is not a model whose dependency groups are known; expected Gpt, "
                + "Llama, Bert, T5, Vit, Vgg, ResNet, GoogLeNet, InceptionV3 or a recurrent model of the kit.", nameof(model)),
        };
    }
}

/// <summary>Which channels of each group stay.</summary>
/// <param name="kept">Kept channels in ascending order by the name of the group.</param>
internal sealed class KeptChannels(IReadOnlyDictionary<string, int[]> kept)
{
    /// <summary>Channels of a group that stay, in ascending order.</summary>
    public int[] this[string group] => kept[group];

    /// <summary>Number of channels of a group that stay.</summary>
    public int Count(string group) => kept[group].Length;

    /// <summary>Number of channels of a group that stay; the given number if there is no such group.</summary>
    public int Count(string group, int absent) => kept.TryGetValue(group, out var channels) ? channels.Length : absent;

    /// <summary>A width for every layer, and the list of them if they differ, else null.</summary>
    /// <param name="layers">Numbers of the layers that stay.</param>
    /// <param name="group">Name of a layer's group.</param>
    /// <param name="absent">Width of a layer without such a group.</param>
    public (int Usual, IReadOnlyList<int>? Own) Widths(IReadOnlyList<int> layers, Func<int, string> group, Func<int, int> absent)
    {
        int[] widths = [.. layers.Select(layer => Count(group(layer), absent(layer)))];
        return (widths.Max(), widths.Distinct().Count() == 1 ? null : widths);
    }
}
