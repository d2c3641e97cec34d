using ResearchKit.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>
/// Compares activations with those at a baseline: at each non-linearity the change of the output is passed back in proportion to
/// the change of its input (rescale rule).
/// </summary>
/// <remarks>
/// Shrikumar, Greenside and Kundaje, 2017, https://arxiv.org/abs/1704.02685; the rule for max-pooling is that of the authors'
/// code and of SHAP. Completeness holds where every non-linearity is a module of its own (ReLU, tanh, sigmoid, GELU …,
/// max-pooling); one that a model computes inside of <c>forward</c> is treated by its gradient, and the gap shows it. It depends
/// on how a function is written down, not only on what it computes.
/// </remarks>
public sealed record DeepLift : AttributionMethod
{
    private const double Nothing = 1e-10;   // an input that changes less is treated by the gradient

    /// <summary>The baseline, as for <see cref="IntegratedGradients"/>; null for zeros.</summary>
    public Tensor? Baseline { get; init; }

    /// <summary>Several baselines, [baselines, ...], whose attributions are averaged (DeepLiftShap); null for one.</summary>
    public Tensor? BaselineSet { get; init; }

    /// <summary>Name of the module whose output is attributed to; null for the input.</summary>
    public string? At { get; init; }

    /// <summary>The largest completeness gap that counts as none, relative to the change of the score.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <inheritdoc/>
    public override string Name => $"{(BaselineSet is null ? "DeepLift" : "DeepLiftShap")}{(At is null ? "" : $" at {At}")}";

    internal override void Check()
    {
        if (Baseline is not null && BaselineSet is not null)
            throw new ArgumentException("Got a baseline and a set of baselines; expected one of them.");
    }

    internal override Found Explain(Explained explained, Tensor input)
    {
        if (!input.is_floating_point() && At is null)
            throw new ArgumentException($"The input is {input.dtype}; name the layer that reads it, such as the embedding (At).");
        var set = BaselineSet is null ? null : Baselines.Set(BaselineSet, input);
        var count = set is null ? 1 : (int)set.shape[0];
        Tensor? sum = null;
        var (sums, changes) = (new List<Tensor>(), new List<Tensor>());
        for (var at = 0; at < count; at++)
        {
            using var scope = NewDisposeScope();
            var baseline = set is null ? Baselines.Of(Baseline, input) : set[at].unsqueeze(0).expand(input.shape);
            var (values, change) = Compare(explained, input, baseline);
            sums.Add(values.flatten(1).sum(dim: 1).MoveToOuterDisposeScope());
            changes.Add(change.MoveToOuterDisposeScope());
            sum = (sum is null ? values : sum + values).MoveToOuterDisposeScope();
        }
        var mean = sum! / count;
        return new Found(mean) { Notes = [count > 1 ? $"{count} baselines" : Baseline is null ? "baseline 0" : "given baseline"] }
            // the baselines of the first example first
            .Complete(stack(sums, 1).flatten(), stack(changes, 1).flatten(), Tolerance);
    }

    private (Tensor Values, Tensor Change) Compare(Explained explained, Tensor input, Tensor baseline)
    {
        var both = cat([input, baseline]);
        var n = input.shape[0];
        var (scores, activation, gradient) = explained.With(Rescale, () =>
        {
            if (At is not null) return explained.GradientAt(At, both);
            var (scores, gradient) = explained.Gradient(both);
            return (scores, both, gradient);
        });
        return (gradient[..(int)n] * (activation[..(int)n] - activation[(int)n..]), scores[..(int)n] - scores[(int)n..]);
    }

    private static ModulePlace.Removal Rescale(nn.Module model)
    {
        var undo = new List<Action>();
        foreach (var (_, module) in model.named_modules())
        {
            if (module is MaxPool2d pool) undo.AddRange(Nonlinearity.Replace(pool, (x, _, y) => Pooled(pool, x, y)));
            else if (Nonlinearity.IsElementwise(module) && module is Module<Tensor, Tensor> one)
                undo.AddRange(Nonlinearity.Replace(one, Rescaled));
        }
        return new ModulePlace.Removal([.. undo]);
    }

    /// <summary>The module's output, with the slope of the line between baseline and input as its gradient.</summary>
    private static Tensor Rescaled(Tensor x, Tensor leaf, Tensor y)
    {
        using var scope = NewDisposeScope();
        var (dx, dy) = (Change(x), Change(y));
        var own = GuardedGrad.Grad(y, [leaf], ones_like(y))[0];
        var slope = where(dx.abs() < Nothing, own, dy / dx);
        return Linear(x, y, x => x * slope).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Max-pooling: with m the larger of the two outputs, m less the baseline's output goes to the place of the input's maximum,
    /// the input's output less m to that of the baseline's maximum, each in proportion to the change of that place.
    /// </summary>
    private static Tensor Pooled(MaxPool2d pool, Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        var (_, places) = functional.max_pool2d_with_indices(x.detach(), pool.kernel_size, pool.stride, pool.padding,
            pool.dilation,
            pool.ceil_mode);
        var n = (int)x.shape[0] / 2;
        var flat = places.flatten(2);
        var (own, other) = (flat[..n], flat[n..]);
        var dx = (x[..n] - x[n..]).detach().flatten(2);
        var (output, reference) = (y[..n].detach().flatten(2), y[n..].detach().flatten(2));
        var larger = output.maximum(reference);
        var (atOwn, atOther) = (dx.gather(2, own), dx.gather(2, other));
        var ones = ones_like(atOwn);
        var upper = where(atOwn.abs() < Nothing, ones, (larger - reference) / atOwn);   // the gradient of max-pooling is 1 there
        var lower = where(atOther.abs() < Nothing, zeros_like(ones), (output - larger) / atOther);
        var line = (Tensor x) =>
        {
            var mine = x[..n].flatten(2);
            var passed = (mine.gather(2, own) * upper) + (mine.gather(2, other) * lower);
            return cat([passed.view_as(y[..n]), zeros_like(y[n..])]);
        };
        return Linear(x, y, line).MoveToOuterDisposeScope();
    }

    /// <summary>A tensor with the value of y and the gradient of a linear function of x.</summary>
    private static Tensor Linear(Tensor x, Tensor y, Func<Tensor, Tensor> line) => y.detach() + line(x - x.detach());

    private static Tensor Change(Tensor both)
    {
        var n = (int)both.shape[0] / 2;
        var change = both[..n] - both[n..];
        return cat([change, change]).detach();
    }
}
