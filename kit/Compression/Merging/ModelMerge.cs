using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Merges the weights of models that share a start, without training.</summary>
/// <remarks>
/// All take and return state dicts (tensors by name); names and shapes must be the same. Integer tensors, such as counters, are
/// those of the first. The caller disposes the result.
/// </remarks>
public static class ModelMerge
{
    /// <summary>Weighted mean of the weights.</summary>
    /// <remarks>Wortsman et al., model soups, 2022, https://arxiv.org/abs/2203.05482.</remarks>
    /// <param name="models">State dicts.</param>
    /// <param name="weights">A weight for each model, divided by their sum; null for equal ones.</param>
    /// <exception cref="ArgumentException">Names, shapes or the number of weights do not fit.</exception>
    public static Dictionary<string, Tensor> Average(
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models, IReadOnlyList<double>? weights = null)
    {
        weights ??= [.. models.Select(_ => 1.0)];
        Require.That(weights.Count == models.Count && weights.Sum() > 0, weights.Count, "the number of weights",
            $"{models.Count} numbers with a sum above 0");
        var total = weights.Sum();
        return Each(models, tensors =>
            tensors.Zip(weights, (tensor, weight) => tensor * (weight / total)).Aggregate((a, b) => a + b));
    }

    /// <summary>
    /// Spherical interpolation of two models, tensor by tensor: along the arc between their directions. Nearly parallel tensors
    /// are interpolated in a straight line.
    /// </summary>
    /// <remarks>Shoemake, 1985, Animating rotation with quaternion curves.</remarks>
    /// <param name="first">State dict at 0.</param>
    /// <param name="second">State dict at 1.</param>
    /// <param name="position">0 to 1.</param>
    /// <exception cref="ArgumentException">Names or shapes do not fit, or the position is out of range.</exception>
    public static Dictionary<string, Tensor> Slerp(
        IReadOnlyDictionary<string, Tensor> first, IReadOnlyDictionary<string, Tensor> second, double position)
    {
        Require.That(position is >= 0 and <= 1, position, nameof(position), "0 to 1");
        return Each([first, second], pair =>
        {
            var lengths = pair[0].norm() * pair[1].norm();
            var cosine = lengths.item<float>() == 0 ? 1 : ((pair[0] * pair[1]).sum() / lengths).item<float>();
            if (Math.Abs(cosine) > 0.9995) return (pair[0] * (1 - position)) + (pair[1] * position);
            var angle = Math.Acos(cosine);
            return (pair[0] * (Math.Sin((1 - position) * angle) / Math.Sin(angle)))
                + (pair[1] * (Math.Sin(position * angle) / Math.Sin(angle)));
        });
    }

    /// <summary>Task arithmetic: the start plus the scaled sum of what each model learnt.</summary>
    /// <remarks>Ilharco et al., 2022, https://arxiv.org/abs/2212.04089. A negative scale unlearns.</remarks>
    /// <param name="start">State dict that the models started from.</param>
    /// <param name="models">State dicts.</param>
    /// <param name="scale">Factor of the sum.</param>
    /// <exception cref="ArgumentException">Names or shapes do not fit.</exception>
    public static Dictionary<string, Tensor> TaskArithmetic(IReadOnlyDictionary<string, Tensor> start,
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models, double scale = 1) =>
        Each([start, .. models], tensors =>
            tensors[0] + (tensors[1..].Select(tensor => tensor - tensors[0]).Aggregate((a, b) => a + b) * scale));

    /// <summary>
    /// TIES: of what each model learnt keeps the largest share of each tensor, elects the sign with the larger sum, and averages
    /// what agrees with it.
    /// </summary>
    /// <remarks>Yadav et al., 2023, https://arxiv.org/abs/2306.01708.</remarks>
    /// <param name="start">State dict that the models started from.</param>
    /// <param name="models">State dicts.</param>
    /// <param name="kept">Share of each tensor's changes that is kept, above 0 to 1.</param>
    /// <param name="scale">Factor of the mean.</param>
    /// <exception cref="ArgumentException">Names or shapes do not fit, or the share is out of range.</exception>
    public static Dictionary<string, Tensor> Ties(IReadOnlyDictionary<string, Tensor> start,
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models, double kept = 0.2, double scale = 1)
    {
        Require.That(kept is > 0 and <= 1, kept, nameof(kept), "above 0 to 1");
        return Each([start, .. models], tensors =>
        {
            var changes = stack([.. tensors[1..].Select(tensor => Trimmed(tensor - tensors[0], kept))]);
            var sign = changes.sum(dim: 0).sign();
            var agrees = changes.sign() == sign;
            var count = (agrees & (changes != 0)).sum(dim: 0).clamp_(min: 1);
            return tensors[0] + (changes.masked_fill(agrees.logical_not(), 0).sum(dim: 0) / count * scale);
        });
    }

    /// <summary>
    /// DARE: of what each model learnt drops a random share and scales the rest up, then adds the mean to the start.
    /// </summary>
    /// <remarks>Yu et al., 2023, https://arxiv.org/abs/2311.03099.</remarks>
    /// <param name="start">State dict that the models started from.</param>
    /// <param name="models">State dicts.</param>
    /// <param name="dropped">Share that is dropped, 0 to below 1.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <exception cref="ArgumentException">Names or shapes do not fit, or the share is out of range.</exception>
    public static Dictionary<string, Tensor> Dare(IReadOnlyDictionary<string, Tensor> start,
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models, double dropped = 0.5, ulong seed = 0)
    {
        Require.Fraction(dropped);
        using var generator = new Generator(seed);
        return Each([start, .. models], tensors => tensors[0] + tensors[1..].Select(tensor => (tensor - tensors[0])
            * (rand(tensor.shape, generator: generator).to(tensor.device) >= dropped) / (1 - dropped))
            .Aggregate((a, b) => a + b).div_(tensors.Length - 1));
    }

    private static Tensor Trimmed(Tensor change, double kept)
    {
        var count = (long)Math.Ceiling(kept * change.numel());
        using var mask = PruningMask.Smallest(change.abs(), change.numel() - count);
        return change.masked_fill(mask, 0);
    }

    private static Dictionary<string, Tensor> Each(
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models, Func<Tensor[], Tensor> merge)
    {
        Require.That(models.Count > 0, models.Count, "the number of models", "at least 1");
        Check(models);
        var merged = new Dictionary<string, Tensor>();
        foreach (var (name, first) in models[0].OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var made = first.is_floating_point()
                ? merge([.. models.Select(model => model[name].detach().to(ScalarType.Float32))]).to(first.dtype)
                : first.detach().clone();
            merged[name] = made.DetachFromDisposeScope();
        }
        return merged;
    }

    private static void Check(IReadOnlyList<IReadOnlyDictionary<string, Tensor>> models)
    {
        foreach (var model in models.Skip(1))
        {
            if (models[0].Keys.Except(model.Keys).Concat(model.Keys.Except(models[0].Keys)).FirstOrDefault() is { } name)
                throw new ArgumentException($"{name} is in one model and not in another; models of one kind can be merged.");
            foreach (var (key, tensor) in models[0])
                if (!tensor.shape.SequenceEqual(model[key].shape))
                    throw new ArgumentException($"{key} is {tensor.ShapeText()} in one model and {model[key].ShapeText()} in "
                        + "another.");
        }
    }
}
