using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Optimizers;

/// <summary>Smaller learning rates for lower layers, for fine-tuning.</summary>
/// <remarks>
/// Clark et al., 2020, https://arxiv.org/abs/2003.10555, appendix B. The head has the optimizer's rate, the block below it that
/// rate times the decay, and so on down to the embeddings: <c>new FusedAdamWOptions { Groups = LayerwiseDecay.Of(model, 0.8)
/// }</c>.
/// </remarks>
public static class LayerwiseDecay
{
    /// <summary>The parameter groups of a model, one for each depth.</summary>
    /// <param name="model">
    /// The model. Its blocks are the parts of it with a number in their names, such as <c>h.3</c> or <c>layer2.1</c>, in the
    /// order of its parameters. What comes before the first block is the lowest layer, what comes after the last one the head.
    /// </param>
    /// <param name="decay">Factor from each layer to the one below it, above 0 and at most 1.</param>
    /// <exception cref="ArgumentException">The decay is out of range.</exception>
    public static IReadOnlyList<ParameterGroup> Of(nn.Module model, double decay)
    {
        ArgumentNullException.ThrowIfNull(model);
        Require.That(decay is > 0 and <= 1, decay, nameof(decay), "above 0 and at most 1");
        var depths = Depths([.. model.named_parameters().Select(pair => pair.name)]);
        var top = depths.Values.Max();
        return [.. Enumerable.Range(0, top + 1)
            .Select(depth => new ParameterGroup((name, _) => depths.TryGetValue(name, out var own) && own == depth)
        {
            LearningRateFactor = Math.Pow(decay, top - depth),
        })];
    }

    private static Dictionary<string, int> Depths(IReadOnlyList<string> names)
    {
        var blocks = names.Select(Block).OfType<string>().Distinct().ToList();
        var last = blocks.Count == 0 ? -1 : names.Count - 1 - names.Reverse().TakeWhile(name => Block(name) is null).Count();
        return names.Select((name, place) =>
            (name, Depth: Block(name) is { } block ? 1 + blocks.IndexOf(block) : place > last ? blocks.Count + 1 : 0))
            .ToDictionary(pair => pair.name, pair => pair.Depth);
    }

    /// <summary>
    /// The name up to its first part that is a number, or up to a number after one that ends in a digit; null where there is
    /// none.
    /// </summary>
    private static string? Block(string name)
    {
        var parts = name.Split('.');
        for (var place = 0; place < parts.Length - 1; place++)
        {
            if (int.TryParse(parts[place], out _)) return string.Join('.', parts[..(place + 1)]);
            if (char.IsAsciiDigit(parts[place][^1]) && int.TryParse(parts[place + 1], out _))
                return string.Join('.', parts[..(place + 2)]);
        }
        return null;
    }
}
