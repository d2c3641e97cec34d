using ResearchKit.Interpretability;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>How well attributions predict what a perturbation does to the score, and how much they change themselves.</summary>
/// <remarks>Yeh et al., 2019, https://arxiv.org/abs/1901.09392.</remarks>
public static class Infidelity
{
    /// <summary>
    /// The mean, over perturbations I, of (Σ I · attribution - (F(x) - F(x - I)))². Gradients of a linear model have 0.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number that was explained.</param>
    /// <param name="attributions">[batch, ...], of the input's shape.</param>
    /// <param name="perturbations">[batch, samples, ...], what is subtracted from each example.</param>
    /// <param name="normalize">
    /// Whether the attributions are first scaled, for each example, by the factor that fits the perturbations best.
    /// </param>
    /// <param name="batchSize">The most rows that one pass of the model has.</param>
    /// <returns>One number for each example.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static double[] Of(Module<Tensor, Tensor> model, Tensor input, Target target, Tensor attributions,
        Tensor perturbations, bool normalize = false, int batchSize = 64)
    {
        Fits(input, attributions, nameof(attributions));
        Samples(input, perturbations);
        using var scope = NewDisposeScope();
        using var explained = new Explained(model, target, input, batchSize);
        var samples = (int)perturbations.shape[1];
        var expected = (perturbations * attributions.unsqueeze(1)).flatten(2).sum(dim: -1);   // [batch, samples]
        var scores = explained.ScoresOf(samples, (from, to) =>
            (input.unsqueeze(0) - perturbations[.., from..to].transpose(0, 1)).flatten(0, 1));
        var change = (explained.Scores(input) - scores).t();
        if (normalize)
        {
            var square = expected.square().mean([1]);
            expected *= where(square > 0, (expected * change).mean([1]) / square, ones_like(square)).unsqueeze(1);
        }
        return (expected - change).square().mean([1]).to(float64).cpu().data<double>().ToArray();
    }

    /// <summary>
    /// The largest change of the attributions when the input is perturbed a little, relative to their norm (max-sensitivity).
    /// </summary>
    /// <param name="method">The method.</param>
    /// <param name="model">The model.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number to explain.</param>
    /// <param name="perturbations">[batch, samples, ...], what is added to each example.</param>
    /// <returns>One number for each example.</returns>
    /// <exception cref="ArgumentException">Shapes do not fit.</exception>
    public static double[] MaxSensitivity(AttributionMethod method, Module<Tensor, Tensor> model, Tensor input, Target target,
        Tensor perturbations)
    {
        ArgumentNullException.ThrowIfNull(method);
        Samples(input, perturbations);
        using var scope = NewDisposeScope();
        var own = method.Attribute(model, input, target).Values.flatten(1);
        var largest = zeros(input.shape[0], dtype: own.dtype, device: own.device);
        for (var sample = 0; sample < perturbations.shape[1]; sample++)
        {
            var other = method.Attribute(model, input + perturbations[.., sample], target).Values.flatten(1);
            largest = largest.maximum((other - own).norm(1) / own.norm(1));
        }
        return largest.to(float64).cpu().data<double>().ToArray();
    }

    internal static void Fits(Tensor input, Tensor attributions, string name)
    {
        if (!attributions.shape.SequenceEqual(input.shape))
            throw new ArgumentException($"Got attributions {attributions.ShapeText()} for an input {input.ShapeText()}; "
                + "expected one "
                + "for each value.", name);
    }

    private static void Samples(Tensor input, Tensor perturbations)
    {
        if (perturbations.dim() != input.dim() + 1 || perturbations.shape[0] != input.shape[0] || perturbations.shape[1] < 1
            || !perturbations.shape.Skip(2).SequenceEqual(input.shape.Skip(1)))
            throw new ArgumentException($"Got perturbations {perturbations.ShapeText()} for an input {input.ShapeText()}; "
                + "expected "
                + "[batch, samples, ...].", nameof(perturbations));
    }
}
