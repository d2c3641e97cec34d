using System.Globalization;
using ResearchKit.Native;
using ResearchKit.Optimizers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>Size of an activation of one model after some steps.</summary>
/// <param name="Layer">Name of the module whose output it is.</param>
/// <param name="Width">Width of the model.</param>
/// <param name="Step">Number of steps taken before.</param>
/// <param name="Size">Mean magnitude of its elements.</param>
public sealed record CoordinateSize(string Layer, int Width, int Step, double Size);

/// <summary>
/// Coordinate check: whether activations keep their size over the width while models of several widths take a few steps. Under μP
/// hidden ones do; without, they grow.
/// </summary>
/// <remarks>Yang et al., 2022, https://arxiv.org/abs/2203.03466, appendix D.</remarks>
/// <param name="Sizes">The sizes, by layer, width and step.</param>
public sealed record CoordinateCheck(IReadOnlyList<CoordinateSize> Sizes)
{
    /// <summary>Names of the layers.</summary>
    public IReadOnlyList<string> Layers { get; } = [.. Sizes.Select(size => size.Layer).Distinct()];

    /// <summary>The widths, rising.</summary>
    public IReadOnlyList<int> Widths { get; } = [.. Sizes.Select(size => size.Width).Distinct().Order()];

    /// <summary>Number of steps.</summary>
    public int Steps { get; } = Sizes.Max(size => size.Step);

    /// <summary>
    /// Exponent of a layer's size over the width, after a number of steps: about 0 if it does not depend on it.
    /// </summary>
    /// <param name="layer">Name of the layer.</param>
    /// <param name="step">Number of steps; null for the last.</param>
    /// <exception cref="KeyNotFoundException">There is no such layer; the message lists those there are.</exception>
    public double Slope(string layer, int? step = null)
    {
        var of = Sizes.Where(size => size.Layer == layer && size.Step == (step ?? Steps)).OrderBy(size => size.Width).ToList();
        if (of.Count == 0)
            throw new KeyNotFoundException($"There is no layer '{layer}' at step {step ?? Steps}; there are "
                + $"{string.Join(", ", Layers)}.");
        return PowerLaw.Fit([.. of.Select(size => (double)size.Width)], [.. of.Select(size => size.Size)]).Exponent;
    }

    /// <summary>Trains models of several widths for a few steps on one batch, and measures their activations.</summary>
    /// <param name="widths">The widths, at least two.</param>
    /// <param name="make">Creates the model of a width; the check sets the seed before, and disposes the model.</param>
    /// <param name="optimizer">Creates its optimizer.</param>
    /// <param name="loss">Computes the loss of a model on the batch.</param>
    /// <param name="layers">Which modules are measured, by name; null for all that return a tensor and have no
    /// submodules.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="seed">Seed of each model.</param>
    /// <param name="cancel">Ends the check after the step at hand.</param>
    /// <exception cref="ArgumentException">There are fewer than two widths, or no module fits.</exception>
    public static CoordinateCheck Run<TModel>(IReadOnlyList<int> widths, Func<int, TModel> make,
        Func<int, TModel, Optimizer> optimizer, Func<TModel, Tensor> loss, Func<string, bool>? layers = null, int steps = 4,
        int seed = 1337, CancellationToken cancel = default) where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(widths);
        ArgumentNullException.ThrowIfNull(make);
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(loss);
        Require.AtLeast(1, steps);
        if (widths.Distinct().Count() < 2)
            throw new ArgumentException($"Got {widths.Distinct().Count()} width; a slope over the width needs at least two.",
                nameof(widths));
        var sizes = new List<CoordinateSize>();
        foreach (var width in widths)
        {
            Compute.Seed(seed);
            using var model = make(width);
            using var updates = optimizer(width, model);
            model.train();
            using var watch = new SizeWatch(model, layers);
            for (var step = 0; step <= steps; step++)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                var value = loss(model);
                sizes.AddRange(watch.Take().Select(pair => new CoordinateSize(pair.Key, width, step, pair.Value)));
                if (step == steps) break;
                updates.ZeroGrad();
                value.backward();
                updates.Step();
            }
        }
        if (sizes.Count == 0) throw new ArgumentException("No module fits the names that are to be measured.", nameof(layers));
        return new CoordinateCheck(sizes);
    }

    /// <inheritdoc/>
    public override string ToString() => $"widths {string.Join(", ", Widths)}, slopes after {Steps} steps: "
        + string.Join(", ", Layers.Select(layer => string.Create(CultureInfo.InvariantCulture, $"{layer} {Slope(layer):0.000}")));
}

/// <summary>Measures the outputs of modules as long as it lives.</summary>
internal sealed class SizeWatch : IDisposable
{
    private readonly List<Action> removals = [];
    private readonly Dictionary<string, double> sizes = [];

    public SizeWatch(nn.Module model, Func<string, bool>? layers)
    {
        foreach (var (name, module) in model.named_modules())
            if (module is nn.Module<Tensor, Tensor> layer && (layers?.Invoke(name) ?? !layer.children().Any()))
                removals.Add(layer.register_forward_hook((_, _, output) => Noted(name, output)).remove);
    }

    /// <summary>The sizes since the last call.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Take()
    {
        var taken = sizes.ToList();
        sizes.Clear();
        return taken;
    }

    public void Dispose()
    {
        foreach (var remove in removals) remove();
    }

    private Tensor Noted(string name, Tensor output)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        sizes[name] = output.detach().to(float64).abs().mean().item<double>();
        return output;
    }
}
