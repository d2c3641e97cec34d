using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>How a transformer is told where its tokens stand.</summary>
public enum Positions
{
    /// <summary>Not at all: a transformer without a causal mask then sees a set.</summary>
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

/// <summary>Tells a transformer where its tokens stand.</summary>
/// <remarks>
/// There are three places to do so: the embeddings, the queries and keys, and the scores. Each encoding overrides the one it
/// uses; in the other two it changes nothing.
/// </remarks>
public abstract class PositionalEncoding(string name) : Module<Tensor, Tensor>(name)
{
    /// <summary>Makes an encoding.</summary>
    /// <param name="positions">Which.</param>
    /// <param name="length">Longest sequence, for those that keep a table.</param>
    /// <param name="width">Channels of the embeddings.</param>
    /// <param name="heads">Heads of the attention.</param>
    /// <param name="deviation">Standard deviation of learned (at first) and random vectors.</param>
    public static PositionalEncoding Create(Positions positions, int length, int width, int heads, double deviation = 1) =>
        positions switch
        {
            Positions.None => new NoPositions(),
            Positions.Sinusoidal => new SinusoidalPositions(length, width),
            Positions.Learned => new LearnedPositions(length, width, deviation),
            Positions.Random => new RandomPositions(length, width, deviation),
            Positions.Rotary => new RotaryPositions(width / heads),
            Positions.Alibi => new AlibiPositions(heads),
            _ => throw new ArgumentOutOfRangeException(nameof(positions), positions, "Not a positional encoding."),
        };

    /// <summary>Whether it changes the embeddings alone, and neither queries and keys nor scores.</summary>
    internal bool IsEmbeddingOnly => this is NoPositions or SinusoidalPositions or LearnedPositions or RandomPositions;

    /// <summary>Embeddings that know their positions, counted from 0.</summary>
    /// <param name="x">[batch, time, channels].</param>
    public override Tensor forward(Tensor x) => Embed(x, 0);

    /// <summary>Embeddings that know their positions.</summary>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="start">Position of the first token.</param>
    /// <returns>[batch, time, channels].</returns>
    public virtual Tensor Embed(Tensor x, long start) => x.alias();

    /// <inheritdoc cref="Embed(Tensor, long)"/>
    /// <param name="x">[batch, time, channels].</param>
    /// <param name="positions">Position of each token: int64 [batch, time].</param>
    public virtual Tensor Embed(Tensor x, Tensor positions) => x.alias();

    /// <summary>Queries or keys that know their positions.</summary>
    /// <param name="x">[batch, head, time, d_head].</param>
    /// <param name="start">Position of the first token.</param>
    /// <returns>[batch, head, time, d_head].</returns>
    public virtual Tensor Rotate(Tensor x, long start) => x.alias();

    /// <inheritdoc cref="Rotate(Tensor, long)"/>
    /// <param name="x">[batch, head, time, d_head].</param>
    /// <param name="positions">Position of each token: int64 [batch, time].</param>
    public virtual Tensor Rotate(Tensor x, Tensor positions) => x.alias();

    /// <summary>What the positions add to the scores: [head, query, key]; null for nothing.</summary>
    /// <param name="example">Any tensor of the dtype and device wanted.</param>
    /// <param name="queries">Number of queries; the last stands where the last key stands.</param>
    /// <param name="keys">Number of keys.</param>
    public virtual Tensor? ScoreBias(Tensor example, long queries, long keys) => null;

    /// <summary>Rows <paramref name="start"/> and on of a table [length, channels], added to [batch, time, channels].</summary>
    private protected static Tensor AddRows(Tensor x, Tensor table, long start)
    {
        var (_, time, _) = CheckWidth(x, table);
        if (start + time > table.shape[0])
            throw new ArgumentException($"Got {start + time} tokens; the context length is {table.shape[0]}.", nameof(x));
        using var rows = table.narrow(0, start, time);
        return x + rows;
    }

    /// <summary>
    /// The rows of a table [length, channels] that positions [batch, time] name, added to [batch, time, channels].
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
