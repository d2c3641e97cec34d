using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Adds the sine and cosine of the position, at wavelengths from 2π to 10,000 · 2π, to the embeddings.
/// </summary>
/// <remarks>Vaswani et al., 2017, §3.5, https://arxiv.org/abs/1706.03762: sine in even channels, cosine in odd ones.</remarks>
public sealed class SinusoidalPositions : PositionalEncoding
{
    private readonly Tensor table;   // [length, channels]

    /// <param name="length">Length of the longest sequence.</param>
    /// <param name="width">Channels of the embeddings; even.</param>
    public SinusoidalPositions(int length, int width) : base(nameof(SinusoidalPositions))
    {
        table = Table(length, width);
        // Saved with the model though it could be recomputed, because TorchSharp moves only saved buffers to a device.
        register_buffer(nameof(table), table);
    }

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, long start) => AddRows(x, get_buffer(nameof(table))!, start);

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, Tensor positions) => AddRows(x, get_buffer(nameof(table))!, positions);

    private static Tensor Table(int length, int width)
    {
        if (width % 2 != 0)
            throw new ArgumentException($"The width is {width}; sinusoidal positions need an even number of channels.",
            nameof(width));
        using var scope = NewDisposeScope();
        var frequency = arange(0, width, 2, float64).mul(-Math.Log(10_000) / width).exp();       // [channels / 2]
        var angle = arange(length, dtype: float64).unsqueeze(1) * frequency;                      // [length, channels / 2]
        return stack([angle.sin(), angle.cos()], -1).view(length, width).to(float32).MoveToOuterDisposeScope();
    }
}
