using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Choices for each row of a batch of logits; a shorter list of choices repeats along the batch.</summary>
internal static class Rows
{
    /// <summary>Takes one entry of the last axis in each row: [batch, ..., vocabulary] to [batch, ...].</summary>
    /// <param name="logits">[batch, time, vocabulary] or [batch, classes].</param>
    /// <param name="indexes">The entry of each row.</param>
    /// <exception cref="ArgumentException">An index lies outside, or their number does not divide the batch.</exception>
    public static Tensor Entries(Tensor logits, IReadOnlyList<long> indexes)
    {
        var size = logits.shape[^1];
        foreach (var index in indexes)
            if (index < 0 || index >= size)
                throw new ArgumentException($"The target asks for token {index}; the model has {size}, numbered from 0.");
        if (indexes.Count == 1) return logits.select(-1, indexes[0]);
        var rows = tensor(Repeated(indexes, logits.shape[0], "tokens"), int64, logits.device);
        var shape = logits.shape[..^1];
        long[] column = [shape[0], .. shape.Skip(1).Select(_ => 1L), 1];
        return logits.gather(-1, rows.view(column).expand([.. shape, 1])).squeeze(-1);
    }

    /// <summary>Takes one position of each row, or the mean over all: [batch, time] to [batch].</summary>
    /// <param name="values">[batch, time]; [batch] if the logits have no positions.</param>
    /// <param name="positions">The position of each row; null for the mean.</param>
    /// <param name="logits">The logits, for the messages.</param>
    /// <exception cref="ArgumentException">A position lies outside, or their number does not divide the batch.</exception>
    public static Tensor Mean(Tensor values, IReadOnlyList<int>? positions, Tensor logits)
    {
        if (values.dim() == 1)
            return positions is null || positions.All(position => position is -1 or 0) ? values
                : throw new ArgumentException($"The target asks for positions {string.Join(", ", positions)}; the logits "
                    + $"{logits.ShapeText()} have no positions.");
        if (positions is null) return values.mean([1]);
        var time = values.shape[1];
        foreach (var position in positions)
            if (position < -time || position >= time)
                throw new ArgumentException($"The target asks for position {position}; the text has {time} tokens.");
        if (positions.Count == 1) return values.select(1, positions[0] < 0 ? positions[0] + time : positions[0]);
        var places = Repeated([.. positions.Select(position => position < 0 ? position + time : position)], values.shape[0],
            "positions");
        return values.gather(1, tensor(places, int64, values.device).unsqueeze(1)).squeeze(1);
    }

    /// <summary>Repeats the rows of a tensor until they are as many as a batch.</summary>
    /// <param name="rows">[n, ...].</param>
    /// <param name="batch">A multiple of n.</param>
    /// <returns>[batch, ...].</returns>
    public static Tensor Tile(Tensor rows, long batch)
    {
        if (rows.shape[0] == 0 || batch % rows.shape[0] != 0)
            throw new ArgumentException($"The target was made for {rows.shape[0]} examples; got a batch of {batch}.");
        if (rows.shape[0] == batch) return rows.alias();
        long[] times = [batch / rows.shape[0], .. rows.shape.Skip(1).Select(_ => 1L)];
        return rows.repeat(times);
    }

    private static long[] Repeated(IReadOnlyList<long> choices, long batch, string what) =>
        choices.Count > 0 && batch % choices.Count == 0
            ? [.. Enumerable.Range(0, (int)batch).Select(row => choices[row % choices.Count])]
            : throw new ArgumentException($"The target has {choices.Count} {what}; got a batch of {batch}.");
}
