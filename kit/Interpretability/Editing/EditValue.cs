using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Checks the values of edits, and makes those that are computed from a recording.</summary>
internal static class EditValue
{
    /// <summary>Requires finite numbers.</summary>
    /// <exception cref="ArgumentException">A value is NaN or infinite.</exception>
    public static void CheckFinite(Tensor value, string what)
    {
        ArgumentNullException.ThrowIfNull(value);
        using var finite = value.isfinite().all();
        if (!finite.item<bool>()) throw new ArgumentException($"{what} holds NaN or infinity; expected finite numbers.");
    }

    /// <inheritdoc cref="CheckFinite(Tensor, string)"/>
    public static void CheckFinite(double value, string what)
    {
        if (!double.IsFinite(value)) throw new ArgumentException($"The {what} is {value}; expected a finite number.");
    }

    /// <summary>Broadcasts a value to the shape of a part of an activation.</summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static Tensor Fitted(Tensor value, Tensor part, string name)
    {
        var shape = value.shape;
        var whole = part.shape;
        var fits = shape.Length <= whole.Length;
        for (var axis = 1; fits && axis <= shape.Length; axis++) fits = shape[^axis] == 1 || shape[^axis] == whole[^axis];
        return fits ? value.to(part).expand(whole) : throw new ArgumentException(
            $"The edit has {value.ShapeText()}; the edited part of '{name}' is {part.ShapeText()}.");
    }

    /// <summary>The mean of a recorded activation over examples and positions; in attention for each head.</summary>
    public static Tensor Mean(ActivationCache recording, string name)
    {
        var recorded = recording[name];
        if (Activations.IsPattern(name)) return recorded.mean([0], keepdim: true);
        return recorded.dim() == 4 ? recorded.mean([0, 2], keepdim: true)
            : recorded.dim() == 3 ? recorded.mean([0, 1], keepdim: true) : recorded.mean([0], keepdim: true);
    }

    /// <summary>Activations of examples chosen at random.</summary>
    public static Tensor Resampled(Tensor recorded, Tensor activation, string name, int seed)
    {
        var random = new Random(seed);
        var rows = Enumerable.Range(0, (int)activation.shape[0]).Select(_ => random.NextInt64(recorded.shape[0])).ToArray();
        return Fitted(recorded.index_select(0, tensor(rows, int64, recorded.device)), activation, name);
    }
}
