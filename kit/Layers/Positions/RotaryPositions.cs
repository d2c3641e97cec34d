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
    private readonly RotaryScaling? scaling;

    /// <param name="width">Channels of a head; even.</param>
    /// <param name="wavelengthBase">The slowest pair turns once in about 2π times this many positions.</param>
    /// <param name="scaling">How the turning is slowed down for longer texts; null for not at all.</param>
    /// <exception cref="ArgumentException">An odd width, or a scaling that contradicts itself.</exception>
    public RotaryPositions(int width, double wavelengthBase = 10_000, RotaryScaling? scaling = null)
        : base(nameof(RotaryPositions))
    {
        if (width % 2 != 0)
            throw new ArgumentException($"Rotary positions turn pairs of channels; got a head of {width}.", nameof(width));
        scaling?.Validate();
        this.width = width;
        this.wavelengthBase = wavelengthBase;
        this.scaling = scaling;
    }

    /// <inheritdoc/>
    public override Tensor Rotate(Tensor x, long start)
    {
        using var scope = NewDisposeScope();
        return Rotate(x, arange(start, start + x.shape[^2], 1, int64, x.device)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Rotate(Tensor x, Tensor positions)
    {
        if (x.shape[^1] != width)
            throw new ArgumentException($"Got heads of {x.shape[^1]} channels; the rotation was made for {width}.", nameof(x));
        using var scope = NewDisposeScope();
        return At(positions, x.dtype).Turn(x).MoveToOuterDisposeScope();
    }

    /// <summary>The rotation at given positions, to be made once and used by all layers.</summary>
    /// <param name="positions">int64 [batch, time], or [time] for all rows alike.</param>
    /// <param name="dtype">Of the queries and keys; the angles themselves are float32.</param>
    internal Rotation At(Tensor positions, ScalarType dtype)
    {
        var frequency = pow(wavelengthBase, arange(0, width, 2, float32, positions.device) / -width);     // [d / 2]
        if (scaling is not null) frequency = scaling.Of(frequency);
        var angle = positions.to(float32).unsqueeze(-1) * frequency;                                      // [batch, time, d / 2]
        // [batch, 1, time, d / 2]
        if (positions.dim() == 2) angle = angle.unsqueeze(1);
        return new Rotation(angle.cos().to(dtype), angle.sin().to(dtype));
    }
}

/// <summary>
/// The angles of some positions, by their cosines and sines: [batch, 1, time, d_head / 2] or [time, d_head / 2].
/// </summary>
internal sealed record Rotation(Tensor Cosine, Tensor Sine)
{
    /// <summary>Turns queries or keys, [batch, head, time, d_head].</summary>
    public Tensor Turn(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = x.chunk(2, -1);
        return cat([(halves[0] * Cosine) - (halves[1] * Sine), (halves[1] * Cosine) + (halves[0] * Sine)], -1)
            .MoveToOuterDisposeScope();
    }
}
