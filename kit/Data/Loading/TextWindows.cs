using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Windows of a long text: each token's target is the token after it.</summary>
public sealed class TextWindows : IExamples
{
    private readonly long[] tokens;

    /// <param name="tokens">The text.</param>
    /// <param name="length">Tokens of a window.</param>
    /// <param name="stride">From the start of a window to the start of the next; by default the length, so that none overlap.</param>
    /// <exception cref="ArgumentException">The text is shorter than one window and its last target.</exception>
    public TextWindows(long[] tokens, int length, int? stride = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (this.tokens, Length, Stride) = (tokens, length, stride ?? length);
        ArgumentOutOfRangeException.ThrowIfLessThan(Stride, 1, nameof(stride));
        if (tokens.Length <= length)
            throw new ArgumentException($"Got {tokens.Length} tokens; a window of {length} and its last target take {length + 1}.", nameof(tokens));
    }

    /// <summary>Tokens of a window.</summary>
    public int Length { get; }

    /// <summary>From the start of a window to the start of the next.</summary>
    public int Stride { get; }

    /// <inheritdoc/>
    public long Count => ((tokens.Length - 1 - Length) / Stride) + 1;

    /// <returns>Inputs and targets, both int64 [batch, time].</returns>
    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">A number of no window.</exception>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        var (inputs, targets) = (new long[numbers.Count * Length], new long[numbers.Count * Length]);
        for (var row = 0; row < numbers.Count; row++)
        {
            if (numbers[row] < 0 || numbers[row] >= Count)
                throw new ArgumentOutOfRangeException(nameof(numbers), numbers[row], $"There are {Count} windows.");
            var start = numbers[row] * Stride;
            Array.Copy(tokens, start, inputs, row * Length, Length);
            Array.Copy(tokens, start + 1, targets, row * Length, Length);
        }
        return new Batch(tensor(inputs, [numbers.Count, Length]), tensor(targets, [numbers.Count, Length]));
    }
}
