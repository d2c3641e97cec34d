using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>What the names and the axes of activations mean.</summary>
internal static class Activations
{
    /// <summary>
    /// The number of a name's layer: its first number, as in <c>model.layers.3.hook_resid_pre</c>; null without.
    /// </summary>
    public static int? Layer(string name)
    {
        foreach (var part in name.Split('.'))
            if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        return null;
    }

    /// <summary>The layer of a part of a decomposition, such as "layer 3 head 1"; -1 for an embedding.</summary>
    public static int LayerOfLabel(string label) => label.StartsWith("layer ", StringComparison.Ordinal)
        ? int.Parse(label.Split(' ')[1], CultureInfo.InvariantCulture) : -1;

    /// <summary>Whether a place is the attention pattern or the scores, [batch, head, query, key].</summary>
    public static bool IsPattern(string name) => name.EndsWith("hook_pattern", StringComparison.Ordinal)
        || name.EndsWith("hook_attn_scores", StringComparison.Ordinal);

    /// <summary>Whether an axis of one example is one of positions.</summary>
    /// <param name="name">Name of the place.</param>
    /// <param name="rank">Axes of one example, without the batch.</param>
    /// <param name="axis">The axis, without the batch.</param>
    public static bool IsPosition(string name, long rank, int axis) =>
        axis == (rank == 3 ? 1 : 0) || (IsPattern(name) && axis == 2);

    /// <summary>The place where a layer begins; of two stacks, that of the decoder.</summary>
    /// <exception cref="ArgumentException">There is no such layer.</exception>
    public static Place Begin(nn.Module model, int layer)
    {
        var starts = Places.Of(model).Where(place => place.Name.EndsWith("hook_resid_pre", StringComparison.Ordinal)).ToList();
        return starts.FindLast(place => Layer(place.Name) == layer)
            ?? throw new ArgumentException(starts.Count == 0 ? $"{model.GetName()} has no hook points where a layer begins."
                : $"There is no layer {layer}; {model.GetName()} has {starts.Max(place => Layer(place.Name)) + 1}.",
                nameof(layer));
    }

    /// <summary>Requires finite numbers.</summary>
    /// <exception cref="ArgumentException">The activation holds NaN or infinity.</exception>
    public static Tensor Finite(Tensor activation, string name)
    {
        using var finite = activation.isfinite().all();
        return finite.item<bool>() ? activation
            : throw new ArgumentException($"The activation '{name}' holds NaN or infinity; expected finite numbers.");
    }
}
