using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Windows of a long text; the target of each token is the next token.</summary>
public sealed class TextWindows : IExamples
{
    private readonly long[] tokens;

    /// <param name="tokens">Token ids of the text.</param>
    /// <param name="length">Number of tokens in a window.</param>
    /// <param name="stride">
    /// Distance between the starts of consecutive windows; by default the length, so that windows do not overlap.
    /// </param>
    /// <exception cref="ArgumentException">The text is shorter than one window and its last target.</exception>
    public TextWindows(long[] tokens, int length, int? stride = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (this.tokens, Length, Stride) = (tokens, length, stride ?? length);
        ArgumentOutOfRangeException.ThrowIfLessThan(Stride, 1, nameof(stride));
        if (tokens.Length <= length)
            throw new ArgumentException($"Got {tokens.Length} tokens; "
                + $"a window of {length} tokens and its last target need {length + 1}.", nameof(tokens));
    }

    /// <summary>Number of tokens in a window.</summary>
    public int Length { get; }

    /// <summary>Distance between the starts of consecutive windows.</summary>
    public int Stride { get; }

    /// <inheritdoc/>
    public long Count => ((tokens.Length - 1 - Length) / Stride) + 1;

    /// <returns>Inputs and targets, both int64 [batch, time].</returns>
    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the range of windows.</exception>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        var (inputs, targets) = (new long[numbers.Count * Length], new long[numbers.Count * Length]);
        for (var row = 0; row < numbers.Count; row++)
        {
            if (numbers[row] < 0 || numbers[row] >= Count)
                throw new ArgumentOutOfRangeException(nameof(numbers), numbers[row], $"Got window {numbers[row]}; "
                    + $"there are {Count} windows, from 0.");
            var start = numbers[row] * Stride;
            Array.Copy(tokens, start, inputs, row * Length, Length);
            Array.Copy(tokens, start + 1, targets, row * Length, Length);
        }
        return new Batch(tensor(inputs, [numbers.Count, Length]), tensor(targets, [numbers.Count, Length]));
    }
}
