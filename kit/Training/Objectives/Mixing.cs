using ResearchKit.Data;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Mixes the examples of a training batch with one another, and their targets in the same shares.</summary>
/// <remarks>
/// <c>Objective.Classification.WithTraining(Mixing.Mixup(classes: 10))</c>. Evaluations see the batches as they are. The random
/// numbers are those of libtorch, so that a resumed run mixes alike.
/// </remarks>
public static class Mixing
{
    /// <summary>Mixup: each example becomes λ of itself and 1 − λ of another one.</summary>
    /// <param name="classes">Number of classes; targets become shares, float32 [batch, classes].</param>
    /// <param name="alpha">λ of a batch is drawn from Beta(α, α); small values mix little.</param>
    /// <returns>A change of a batch: inputs floating-point [batch, ...], targets int64 [batch].</returns>
    /// <remarks>Zhang et al., 2018, https://arxiv.org/abs/1710.09412.</remarks>
    /// <exception cref="ArgumentException">An argument is not positive.</exception>
    public static Func<Batch, Batch> Mixup(int classes, double alpha = 0.2)
    {
        Check(classes, alpha);
        return batch =>
        {
            using var scope = NewDisposeScope();
            var (share, other) = Draw(batch, alpha);
            var inputs = (share * batch.Inputs) + ((1 - share) * batch.Inputs.index_select(0, other));
            return Mixed(batch, inputs, other, share, classes);
        };
    }

    /// <summary>CutMix: a rectangle of each image is replaced by the same place of another image.</summary>
    /// <param name="classes">Number of classes; targets become shares, float32 [batch, classes].</param>
    /// <param name="alpha">The share of the area that stays is drawn from Beta(α, α).</param>
    /// <returns>A change of a batch: inputs [batch, channels, height, width], targets int64 [batch].</returns>
    /// <remarks>
    /// Yun et al., 2019, https://arxiv.org/abs/1905.04899. The rectangle is cut off at the border; the shares are those of its
    /// area.
    /// </remarks>
    /// <exception cref="ArgumentException">An argument is not positive.</exception>
    public static Func<Batch, Batch> CutMix(int classes, double alpha = 1)
    {
        Check(classes, alpha);
        return batch =>
        {
            using var scope = NewDisposeScope();
            if (batch.Inputs.dim() != 4)
                throw new ArgumentException($"Got inputs {batch.Inputs.ShapeText()}; CutMix takes images [batch, channels, "
                    + "height, "
                    + "width].");
            var (share, other) = Draw(batch, alpha);
            var (height, width) = (batch.Inputs.shape[2], batch.Inputs.shape[3]);
            var side = Math.Sqrt(1 - share);
            var (top, bottom) = Span(height, side);
            var (left, right) = Span(width, side);
            var inputs = batch.Inputs.clone();
            if (bottom > top && right > left)
                inputs[.., .., (int)top..(int)bottom, (int)left..(int)right] =
                    batch.Inputs.index_select(0, other)[.., .., (int)top..(int)bottom, (int)left..(int)right];
            var stays = 1 - ((bottom - top) * (right - left) / (double)(height * width));
            return Mixed(batch, inputs, other, stays, classes);
        };
    }

    private static void Check(int classes, double alpha)
    {
        Require.That(classes > 0, classes, nameof(classes), "positive");
        Require.That(alpha > 0 && double.IsFinite(alpha), alpha, nameof(alpha), "positive");
    }

    /// <summary>λ, and the number of the example that each is mixed with.</summary>
    private static (double Share, Tensor Other) Draw(Batch batch, double alpha)
    {
        var share = distributions.Beta(tensor(alpha), tensor(alpha)).sample().item<double>();
        return (share, randperm(batch.Inputs.shape[0]).to(batch.Inputs.device));
    }

    /// <summary>A stretch of an axis round a random place, cut off at the ends.</summary>
    private static (long From, long To) Span(long length, double share)
    {
        var middle = randint(0, length, [1]).item<long>();
        var half = (long)(length * share / 2);
        return (Math.Max(0, middle - half), Math.Min(length, middle + half));
    }

    private static Batch Mixed(Batch batch, Tensor inputs, Tensor other, double share, int classes)
    {
        if (batch.Targets.dim() != 1 || batch.Targets.is_floating_point())
            throw new ArgumentException($"Got targets {batch.Targets.ShapeText()} of {batch.Targets.dtype}; mixing takes one "
                + "class "
                + "for each example, int64 [batch].");
        var own = nn.functional.one_hot(batch.Targets.to(int64), classes).to(float32);
        var targets = (share * own) + ((1 - share) * own.index_select(0, other));
        var tensors = batch.Names.ToDictionary(name => name, name => batch[name].alias());
        tensors[Batch.InputsName] = inputs;
        tensors[Batch.TargetsName] = targets;
        foreach (var value in tensors.Values) value.MoveToOuterDisposeScope();
        return new Batch(tensors);
    }
}
