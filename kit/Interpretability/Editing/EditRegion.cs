using ResearchKit.Layers;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>The part of an activation that an edit changes.</summary>
internal sealed class EditRegion
{
    private readonly long[]?[] chosen;   // indexes on each axis; null for all

    private EditRegion(long[]?[] chosen) => this.chosen = chosen;

    /// <summary>Whether nothing is chosen.</summary>
    public bool IsEmpty => chosen.Any(indexes => indexes is { Length: 0 });

    /// <summary>The part that an edit changes at a place.</summary>
    /// <exception cref="ArgumentException">An index lies outside, or the activation has no heads.</exception>
    public static EditRegion Of(Edit edit, string name, Tensor activation)
    {
        var shape = activation.shape;
        var chosen = new long[]?[shape.Length];
        void Choose(IReadOnlyList<int>? indexes, int axis, string what)
        {
            if (indexes is null) return;
            if (axis < 0 || axis >= shape.Length)
                throw new ArgumentException($"The edit chooses {what}s; '{name}' is {activation.ShapeText()}, without {what}s.");
            chosen[axis] = what == "position" ? Positions(indexes, shape[axis], name)
                : [.. indexes.Select(index => Checked(index, shape[axis], what, name))];
        }
        var inHeads = shape.Length == 4;
        Choose(edit.Examples, 0, "example");
        Choose(edit.Heads, inHeads ? 1 : -1, "head");
        Choose(edit.Positions, inHeads ? 2 : shape.Length == 3 ? 1 : -1, "position");
        Choose(edit.Channels, shape.Length - 1, "channel");
        return new EditRegion(chosen);
    }

    /// <summary>The part of an activation.</summary>
    public Tensor Take(Tensor activation) => chosen.All(indexes => indexes is null) ? activation
        : activation.index(Indexes(activation));

    /// <summary>A copy of an activation with another part.</summary>
    /// <exception cref="ArgumentException">The part has another shape.</exception>
    public Tensor Put(Tensor activation, Tensor part, string name)
    {
        if (chosen.All(indexes => indexes is null))
            return part.shape.SequenceEqual(activation.shape) ? part.to(activation.dtype) : throw Wrong(part, activation.shape);
        long[] shape = [.. chosen.Select((indexes, axis) => indexes?.Length ?? activation.shape[axis])];
        if (!part.shape.SequenceEqual(shape)) throw Wrong(part, shape);
        var edited = activation.clone();
        edited.index_put_(part.to(activation.dtype), Indexes(activation));
        return edited;

        ArgumentException Wrong(Tensor got, long[] expected) => new($"The edit gives {got.ShapeText()}; the edited part of "
            + $"'{name}' is [{string.Join(", ", expected)}].");
    }

    /// <summary>One index tensor for each axis, which together address the part.</summary>
    private TensorIndex[] Indexes(Tensor activation)
    {
        var indexes = new TensorIndex[chosen.Length];
        for (var axis = 0; axis < chosen.Length; axis++)
        {
            var shape = Enumerable.Repeat(1L, chosen.Length).ToArray();
            shape[axis] = -1;
            var own = chosen[axis] is { } some ? tensor(some, int64, activation.device)
                : arange(activation.shape[axis], int64, activation.device);
            indexes[axis] = TensorIndex.Tensor(own.view(shape));
        }
        return indexes;
    }

    private static long[] Positions(IReadOnlyList<int> positions, long time, string name)
    {
        if (TokenOffset.Current is not { } start)
            return [.. positions.Select(position => Checked(position, time, "position", name))];
        // in generation: the tokens of this pass alone
        return [.. positions.Select(position => position < 0 ? position + time : position - start)
            .Where(position => position >= 0 && position < time)];
    }

    private static long Checked(int index, long size, string what, string name) => index >= -size && index < size
        ? (index < 0 ? index + size : index)
        : throw new ArgumentException($"The edit chooses {what} {index}; '{name}' has {size}.");
}
