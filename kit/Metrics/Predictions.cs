using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Metrics;

/// <summary>Brings logits and targets of any leading axes into rows, without the targets that are ignored.</summary>
internal static class Predictions
{
    /// <summary>Logits [n, classes] in float32 or float64 and targets int64 [n], of the places that have a target.</summary>
    /// <param name="logits">[..., classes].</param>
    /// <param name="targets">Whole numbers, the shape of the logits without the last axis; -100 where there is no target.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a target is not a class.</exception>
    public static (Tensor Logits, Tensor Targets) Rows(Tensor logits, Tensor targets)
    {
        if (logits.dim() < 2 || !logits.shape.AsSpan(..^1).SequenceEqual(targets.shape))
            throw new ArgumentException($"Got logits {logits.ShapeText()} and targets {targets.ShapeText()}; expected logits "
                + "with the targets' shape and one more axis, the classes.");
        if (targets.is_floating_point())
            throw new ArgumentException($"Targets are {targets.dtype}; expected whole numbers, the classes.");
        var classes = logits.shape[^1];
        var flat = targets.reshape(-1).to(int64);
        var kept = flat != NoTarget.Value;
        flat = flat[kept];
        var rows = logits.detach().reshape(-1, classes)[kept];
        if (flat.numel() > 0 && (flat.min().item<long>() < 0 || flat.max().item<long>() >= classes))
            throw new ArgumentException($"Targets range from {flat.min().item<long>()} to {flat.max().item<long>()}; the "
                + $"logits have {classes} classes, from 0.");
        return (rows.dtype == float64 ? rows : rows.to(float32), flat);
    }

    /// <summary>Numbers of both tensors as float64 [n].</summary>
    /// <exception cref="ArgumentException">The tensors have different numbers of elements.</exception>
    public static (Tensor Predicted, Tensor Target) Pairs(Tensor predicted, Tensor target)
    {
        if (predicted.numel() != target.numel())
            throw new ArgumentException($"Got predictions {predicted.ShapeText()} and targets {target.ShapeText()}; expected "
                + "as many of each.");
        return (predicted.detach().reshape(-1).to(float64), target.detach().reshape(-1).to(float64));
    }
}
