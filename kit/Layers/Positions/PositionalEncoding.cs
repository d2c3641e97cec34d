using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Kinds of positional encoding of a transformer.</summary>
public enum Positions
{
    /// <summary>No positions: a transformer without a causal mask then treats its tokens as a set.</summary>
    None,

    /// <summary><see cref="SinusoidalPositions"/>.</summary>
    Sinusoidal,

    /// <summary><see cref="LearnedPositions"/>.</summary>
    Learned,

    /// <summary><see cref="RandomPositions"/>.</summary>
    Random,

    /// <summary><see cref="RotaryPositions"/>.</summary>
    Rotary,

    /// <summary><see cref="AlibiPositions"/>.</summary>
    Alibi,
}

/// <summary>Encodes the positions of tokens in a transformer.</summary>
/// <remarks>
/// An encoding can act at three places: on the embeddings, on the queries and keys, or on the scores. Each
/// encoding overrides the methods of its own place; the others change nothing.
/// </remarks>
public abstract class PositionalEncoding(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>Creates a positional encoding.</summary>
    /// <param name="positions">Kind of encoding.</param>
    /// <param name="length">Length of the longest sequence, for encodings with a table.</param>
    /// <param name="width">Channels of the embeddings.</param>
    /// <param name="heads">Number of attention heads.</param>
    /// <param name="deviation">Standard deviation of random vectors, and of learned vectors at
    /// initialization.</param>
    /// <param name="headWidth">Channels of a head; null for <paramref name="width"/> divided by
    /// <paramref name="heads"/>.</param>
    public static PositionalEncoding Create(Positions positions, int length, int width, int heads, double deviation = 1,
        int? headWidth = null) =>
        positions switch
        {
            Positions.None => new NoPositions(),
            Positions.Sinusoidal => new SinusoidalPositions(length, width),
            Positions.Learned => new LearnedPositions(length, width, deviation),
            Positions.Random => new RandomPositions(length, width, deviation),
            Positions.Rotary => new RotaryPositions(headWidth ?? width / heads),
            Positions.Alibi => new AlibiPositions(heads),
            _ => throw new ArgumentOutOfRangeException(nameof(positions), positions, "Not a positional encoding."),
        };

    /// <summary>Whether the encoding changes only embeddings, and neither queries and keys nor scores.</summary>
    internal bool IsEmbeddingOnly => this is NoPositions or SinusoidalPositions or LearnedPositions or RandomPositions;

    /// <summary>Adds positions, counted from 0, to embeddings.</summary>
    /// <param name="x">[batch, time, channels].</param>
    public override Tensor forward(Tensor x) => Embed(x, 0);

    /// <summary>Adds positions to embeddings.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="start">Position of the first token.</param>
    /// <returns>[batch, time, channels].</returns>
    public virtual Tensor Embed(Tensor x, long start) => x.alias();

    /// <inheritdoc cref="Embed(Tensor, long)"/>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="positions">Position of each token: int64 [batch, time].</param>
    public virtual Tensor Embed(Tensor x, Tensor positions) => x.alias();

    /// <summary>Applies positions to queries or keys.</summary>
    /// <param name="x">[batch, head, time, d_head].</param>
    /// <param name="start">Position of the first token.</param>
    /// <returns>[batch, head, time, d_head].</returns>
    public virtual Tensor Rotate(Tensor x, long start) => x.alias();

    /// <inheritdoc cref="Rotate(Tensor, long)"/>
    /// <param name="x">[batch, head, time, d_head].</param>
    /// <param name="positions">Position of each token: int64 [batch, time].</param>
    public virtual Tensor Rotate(Tensor x, Tensor positions) => x.alias();

    /// <summary>
    /// Returns the bias that depends on positions and is added to the scores, [head, query, key]; null for none.
    /// </summary>
    /// <param name="example">Any tensor with the dtype and device that the result should have.</param>
    /// <param name="queries">Number of queries; the last query has the position of the last key.</param>
    /// <param name="keys">Number of keys.</param>
    public virtual Tensor? ScoreBias(Tensor example, long queries, long keys) => null;

    /// <summary>
    /// Adds the rows of a table [length, channels], from row <paramref name="start"/> on, to embeddings [batch,
    /// time, channels].
    /// </summary>
    private protected static Tensor AddRows(Tensor x, Tensor table, long start)
    {
        var (_, time, _) = CheckWidth(x, table);
        if (start + time > table.shape[0])
            throw new ArgumentException($"Got {start + time} tokens; the context length is {table.shape[0]}.", nameof(x));
        using var rows = table.narrow(0, start, time);
        return x + rows;
    }

    /// <summary>
    /// Adds the rows of a table [length, channels] at positions [batch, time] to embeddings [batch, time,
    /// channels].
    /// </summary>
    private protected static Tensor AddRows(Tensor x, Tensor table, Tensor positions)
    {
        var (batch, time, _) = CheckWidth(x, table);
        if (!positions.shape.SequenceEqual([batch, time]))
            throw new ArgumentException($"Got positions {positions.ShapeText()}; expected [{batch}, {time}].", nameof(positions));
        using var rows = table.index(positions);
        return x + rows;
    }

    private static (long Batch, long Time, long Channels) CheckWidth(Tensor x, Tensor table)
    {
        var axes = x.Axes3();
        return axes.Third == table.shape[1] ? axes
            : throw new ArgumentException(
                $"Got embeddings of {axes.Third} channels; the positions have {table.shape[1]}.", nameof(x));
    }
}

/// <summary>No positions.</summary>
public sealed class NoPositions() : PositionalEncoding(nameof(NoPositions));
