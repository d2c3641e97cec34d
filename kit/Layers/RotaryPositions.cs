using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>Turns each pair of channels (i, i + d/2) of queries and keys by an angle that grows with the position.</summary>
/// <remarks>
/// Su et al., 2021, https://arxiv.org/abs/2104.09864, in the half-split layout of Llama and GPT-NeoX. The score of a query and a
/// key then depends on their distance alone.
/// </remarks>
public sealed class RotaryPositions : PositionalEncoding
{
    private readonly int width;
    private readonly double wavelengthBase;

    /// <param name="width">Channels of a head; even.</param>
    /// <param name="wavelengthBase">The slowest pair turns once in about 2π times this many positions.</param>
    public RotaryPositions(int width, double wavelengthBase = 10_000) : base(nameof(RotaryPositions))
    {
        if (width % 2 != 0) throw new ArgumentException($"Rotary positions turn pairs of channels; got a head of {width}.", nameof(width));
        this.width = width;
        this.wavelengthBase = wavelengthBase;
    }

    /// <inheritdoc/>
    public override Tensor Rotate(Tensor x, long start)
    {
        var (time, channels) = (x.shape[^2], x.shape[^1]);
        if (channels != width) throw new ArgumentException($"Got heads of {channels} channels; the rotation was made for {width}.", nameof(x));

        using var scope = NewDisposeScope();
        var frequency = pow(wavelengthBase, arange(0, width, 2, float32, x.device) / -width);     // [d / 2]
        var angle = arange(start, start + time, 1, float32, x.device).unsqueeze(1) * frequency;   // [time, d / 2]
        var (cosine, sine) = (angle.cos().to(x.dtype), angle.sin().to(x.dtype));
        var halves = x.chunk(2, -1);
        return cat([(halves[0] * cosine) - (halves[1] * sine), (halves[1] * cosine) + (halves[0] * sine)], -1).MoveToOuterDisposeScope();
    }
}
