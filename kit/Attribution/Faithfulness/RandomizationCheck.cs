using ResearchKit.Interpretability;
using ResearchKit.Results;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>
/// The sanity check of attributions: layers get random weights, the last one first, and the attributions are compared with those
/// of the trained model. A method that explains the model must change.
/// </summary>
/// <remarks>Adebayo et al., 2018, https://arxiv.org/abs/1810.03292.</remarks>
public static class RandomizationCheck
{
    /// <summary>Makes one layer after the other random.</summary>
    /// <param name="model">The model; its weights are as they were afterwards, also after an exception.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number to explain.</param>
    /// <param name="methods">The methods.</param>
    /// <param name="seed">Seed of the random weights: the trained ones of each tensor, in random order.</param>
    /// <param name="progress">Reports the share that is done.</param>
    /// <param name="cancellation">Stops between two attributions.</param>
    /// <returns>
    /// A row for each method, a column for each layer that became random beside those before: the mean rank correlation of
    /// absolute attributions with those of the trained model.
    /// </returns>
    public static Grid Of(Module<Tensor, Tensor> model, Tensor input, Target target, IReadOnlyList<AttributionMethod> methods,
        int seed = 0, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(methods);
        var layers = model.named_modules().Where(pair => pair.module.parameters(recurse: false).Any()).Reverse().ToList();
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed, CPU);
        var trained = model.parameters().Select(parameter => (Parameter: parameter, Values: parameter.detach().clone())).ToList();
        var before = methods.Select(method => method.Attribute(model, input, target).Values.abs()).ToList();
        var values = new double[methods.Count, layers.Count];
        try
        {
            for (var layer = 0; layer < layers.Count; layer++)
            {
                Shuffle(layers[layer].module, generator);
                for (var method = 0; method < methods.Count; method++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    using var inner = NewDisposeScope();
                    var after = methods[method].Attribute(model, input, target, cancellation: cancellation).Values.abs();
                    values[method, layer] = Faithfulness.RankCorrelation(before[method], after).Average();
                }
                progress?.Report((layer + 1.0) / layers.Count);
            }
        }
        finally
        {
            using var noGrad = no_grad();
            foreach (var (parameter, kept) in trained) parameter.copy_(kept);
        }
        return new Grid("rank correlation with the attributions of the trained model", "",
            [.. methods.Select(method => method.Name)],
            [.. layers.Select(layer => layer.name)], values)
        {
            RowAxis = "method",
            ColumnAxis = "random from the output back to",
        };
    }

    private static void Shuffle(nn.Module layer, Generator generator)
    {
        using var noGrad = no_grad();
        foreach (var parameter in layer.parameters(recurse: false))
        {
            using var scope = NewDisposeScope();
            var order = randperm(parameter.numel(), dtype: int64, generator: generator).to(parameter.device);
            parameter.copy_(parameter.detach().flatten().index_select(0, order).view(parameter.shape));
        }
    }
}
