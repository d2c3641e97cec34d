using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>The dependency groups of a model: what structured pruning can remove from it.</summary>
/// <remarks>
/// Fang et al., DepGraph, 2023, https://arxiv.org/abs/2301.12900. The groups of the kit's models are written down, not traced.
/// </remarks>
public static class ChannelGroups
{
    /// <summary>Returns the groups of a model.</summary>
    /// <param name="model">
    /// A <c>Gpt</c>, <c>Llama</c>, <c>Bert</c> with or without a head, <c>T5</c>, <c>Vit</c>, <c>Vgg</c>, <c>ResNet</c>,
    /// <c>GoogLeNet</c>, <c>InceptionV3</c>, or a recurrent model.
    /// </param>
    /// <exception cref="ArgumentException">It is another model, or has adapters.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static IReadOnlyList<ChannelGroup> Of(nn.Module model) => PrunableModel.Of(model).Groups;

    /// <summary>Finds a group by name.</summary>
    /// <exception cref="KeyNotFoundException">There is no such group; the message lists those that exist.</exception>
    public static ChannelGroup Named(this IReadOnlyList<ChannelGroup> groups, string name) =>
        groups.FirstOrDefault(group => group.Name == name)
        ?? throw new KeyNotFoundException($"The model has no group '{name}'; it has "
            + $"{string.Join(", ", groups.Select(group => group.Name))}.");
}
