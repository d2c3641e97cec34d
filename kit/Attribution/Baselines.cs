using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>The inputs that stand for "nothing there".</summary>
internal static class Baselines
{
    /// <summary>Returns a baseline for each example.</summary>
    /// <param name="baseline">[batch, ...], [1, ...] or [...] of an example's shape; null for zeros.</param>
    /// <param name="input">[batch, ...].</param>
    /// <returns>A tensor of the input's shape and dtype.</returns>
    /// <exception cref="ArgumentException">Another shape, or a value that is not finite.</exception>
    public static Tensor Of(Tensor? baseline, Tensor input)
    {
        if (baseline is null) return zeros_like(input);
        var one = baseline.dim() == input.dim() - 1 ? baseline.unsqueeze(0) : baseline;
        if (one.dim() != input.dim() || !one.shape.Skip(1).SequenceEqual(input.shape.Skip(1))
            || (one.shape[0] != 1 && one.shape[0] != input.shape[0]))
            throw new ArgumentException($"Got a baseline {baseline.ShapeText()} for an input {input.ShapeText()}; expected one "
                + "example, or one for each.");
        if (one.is_floating_point() && !one.isfinite().all().item<bool>())
            throw new ArgumentException("The baseline has a value that is not finite.");
        return one.to(input.dtype, input.device).expand(input.shape);
    }

    /// <summary>Returns a set of baselines, which all examples are compared with.</summary>
    /// <param name="set">[baselines, ...] of an example's shape.</param>
    /// <param name="input">[batch, ...].</param>
    /// <exception cref="ArgumentException">Another shape, none at all, or a value that is not finite.</exception>
    public static Tensor Set(Tensor set, Tensor input)
    {
        if (set.dim() != input.dim() || set.shape[0] < 1 || !set.shape.Skip(1).SequenceEqual(input.shape.Skip(1)))
            throw new ArgumentException($"Got a set of baselines {set.ShapeText()} for an input {input.ShapeText()}; expected "
                + "[baselines, ...] with examples of the input's shape.");
        if (!set.isfinite().all().item<bool>()) throw new ArgumentException("A baseline has a value that is not finite.");
        return set.to(input.dtype, input.device);
    }
}
