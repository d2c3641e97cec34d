using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>A training example beside an explained one.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Similarity">The cosine of the angle between their features.</param>
public sealed record Neighbour(long Index, double Similarity);

/// <summary>Explains by examples: the nearest training examples, and the examples that stand for a whole data set.</summary>
public static class NearestExamples
{
    /// <summary>Finds the training examples whose features point most nearly in the same direction.</summary>
    /// <param name="features">[batch, features], such as a model's features before its head.</param>
    /// <param name="training">[examples, features].</param>
    /// <param name="count">How many.</param>
    /// <returns>For each example its neighbours, the nearest first.</returns>
    /// <exception cref="ArgumentException">The widths differ, or there are fewer examples.</exception>
    public static IReadOnlyList<IReadOnlyList<Neighbour>> Of(Tensor features, Tensor training, int count)
    {
        if (features.dim() != 2 || training.dim() != 2 || features.shape[1] != training.shape[1])
            throw new ArgumentException($"Got features {features.ShapeText()} and {training.ShapeText()}; expected the same "
                + "width.");
        Require.That(count >= 1 && count <= training.shape[0], count, nameof(count), $"from 1 to {training.shape[0]}");
        using var scope = NewDisposeScope();
        var cosine = nn.functional.normalize(features.to(float64),
            dim: 1).matmul(nn.functional.normalize(training.to(float64), dim: 1).t());
        var (values, indexes) = cosine.topk(count, 1);
        var (similar, at) = (values.cpu().data<double>().ToArray(), indexes.cpu().data<long>().ToArray());
        return [.. Enumerable.Range(0, (int)features.shape[0]).Select(row =>
            (IReadOnlyList<Neighbour>)[.. Enumerable.Range(row * count, count).Select(i => new Neighbour(at[i], similar[i]))])];
    }

    /// <summary>
    /// Chooses examples whose distribution is nearest to that of all, one after the other (the prototypes of MMD-critic).
    /// </summary>
    /// <remarks>Kim, Khanna and Koyejo, 2016. A Gaussian kernel whose width is the median distance.</remarks>
    /// <param name="features">[examples, features].</param>
    /// <param name="count">How many.</param>
    /// <returns>Their numbers, in the order in which they were chosen.</returns>
    /// <exception cref="ArgumentException">There are fewer examples.</exception>
    public static IReadOnlyList<long> Prototypes(Tensor features, int count)
    {
        if (features.dim() != 2)
            throw new ArgumentException($"Got features {features.ShapeText()}; expected [examples, features].", nameof(features));
        Require.That(count >= 1 && count <= features.shape[0], count, nameof(count), $"from 1 to {features.shape[0]}");
        using var scope = NewDisposeScope();
        var x = features.to(float64);
        var distance = cdist(x, x).square();
        var width = distance.flatten().median().clamp_min(1e-12);
        var kernel = (-distance / width).exp();
        var mean = kernel.mean([1]);   // how near each example is to all
        var chosen = new List<long>();
        var toChosen = zeros_like(mean);
        for (var round = 1; round <= count; round++)
        {
            using var inner = NewDisposeScope();
            // what the squared maximum mean discrepancy falls by, when one more example joins
            var gain = (2 * mean) - (((2 * toChosen) + kernel.diagonal()) / round);
            foreach (var taken in chosen) gain[taken] = double.NegativeInfinity;
            var next = gain.argmax().item<long>();
            chosen.Add(next);
            toChosen.add_(kernel[next]);
        }
        return chosen;
    }
}
