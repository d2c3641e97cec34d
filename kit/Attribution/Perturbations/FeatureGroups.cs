using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>The features of an example, or groups of them, that are present or replaced by the baseline together.</summary>
internal sealed class FeatureGroups
{
    private readonly Tensor groupOf;   // [...] of an example's shape: the number of each value's group, from 0

    private FeatureGroups(Tensor groupOf, int count) => (this.groupOf, Count) = (groupOf, count);

    /// <summary>How many groups there are.</summary>
    public int Count { get; }

    /// <summary>Makes groups of a mask.</summary>
    /// <param name="mask">
    /// A number for each value of an example, [...] or [1, ...]; equal numbers are a group. Null: each value is a feature of its
    /// own.
    /// </param>
    /// <param name="input">[batch, ...].</param>
    /// <exception cref="ArgumentException">Another shape, or numbers that are not integers.</exception>
    public static FeatureGroups Of(Tensor? mask, Tensor input)
    {
        long[] shape = [.. input.shape.Skip(1)];
        var count = shape.Aggregate(1L, (product, length) => product * length);
        if (mask is null) return new FeatureGroups(arange(count, dtype: int64, device: input.device).view(shape), (int)count);
        var one = mask.dim() == input.dim() && mask.shape[0] == 1 ? mask.squeeze(0) : mask;
        if (mask.is_floating_point() || !Broadcasts(one.shape, shape))
            throw new ArgumentException($"Got groups {mask.ShapeText()} of {mask.dtype} for an input {input.ShapeText()}; "
                + "expected "
                + "integers, one for each value of an example.");
        var (numbers, places, _) = one.to(int64).expand(shape).unique(sorted: true, return_inverse: true);
        return new FeatureGroups(places!.to(input.device).view(shape), (int)numbers.numel());
    }

    /// <summary>Replaces the absent groups of each variant by the baseline.</summary>
    /// <param name="present">bool [variants, groups].</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="baseline">[batch, ...].</param>
    /// <returns>[variants * batch, ...].</returns>
    public Tensor Apply(Tensor present, Tensor input, Tensor baseline)
    {
        using var scope = NewDisposeScope();
        var variants = present.shape[0];
        var kept = present.index_select(1, groupOf.flatten()).view([variants, 1, .. groupOf.shape]);
        return where(kept, input.unsqueeze(0), baseline.unsqueeze(0)).flatten(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Apply"/>, with other absent groups for each example.</summary>
    /// <param name="present">bool [variants, batch, groups].</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="baseline">[batch, ...].</param>
    public Tensor ApplyEach(Tensor present, Tensor input, Tensor baseline)
    {
        using var scope = NewDisposeScope();
        var kept = present.index_select(2, groupOf.flatten()).view([.. present.shape[..2], .. groupOf.shape]);
        return where(kept, input.unsqueeze(0), baseline.unsqueeze(0)).flatten(0, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Sums the values of each group: [batch, ...] to [batch, groups].</summary>
    public Tensor Gather(Tensor values)
    {
        using var scope = NewDisposeScope();
        var flat = values.detach().flatten(1);
        return zeros(flat.shape[0], Count, dtype: flat.dtype, device: flat.device)
            .index_add_(1, groupOf.flatten(), flat, 1).MoveToOuterDisposeScope();
    }

    /// <summary>Gives each value the number of its group.</summary>
    /// <param name="values">[batch, groups].</param>
    /// <returns>[batch, ...] of the input's shape.</returns>
    public Tensor Spread(Tensor values) =>
        values.index_select(1, groupOf.flatten()).view([values.shape[0], .. groupOf.shape]);

    private static bool Broadcasts(long[] from, long[] to) => from.Length <= to.Length
        && from.Reverse().Zip(to.Reverse()).All(pair => pair.First == pair.Second || pair.First == 1);
}
