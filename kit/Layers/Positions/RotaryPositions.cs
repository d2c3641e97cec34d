using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// Rotary positions (RoPE): rotates each pair of channels (i, i + d/2) of queries and keys by an angle
/// proportional to the position.
/// </summary>
/// <remarks>
/// Su et al., 2021, https://arxiv.org/abs/2104.09864, in the half-split layout of Llama and GPT-NeoX. The score
/// of a query and a key then depends only on their distance.
/// </remarks>
public sealed class RotaryPositions : PositionalEncoding
{
    private readonly int width;
    private readonly double wavelengthBase;
    private readonly RotaryScaling? scaling;

    /// <param name="width">Channels of a head; even.</param>
    /// <param name="wavelengthBase">Base of the frequencies, θ: the slowest pair rotates once in about 2π times
    /// this many positions.</param>
    /// <param name="scaling">How the rotation is slowed down for longer texts; null for no scaling.</param>
    /// <exception cref="ArgumentException">The width is odd, or a number of the scaling is out of
    /// range.</exception>
    public RotaryPositions(int width, double wavelengthBase = 10_000, RotaryScaling? scaling = null)
        : base(nameof(RotaryPositions))
    {
        if (width % 2 != 0)
            throw new ArgumentException($"A head has {width} channels; rotary positions need an even number.",
            nameof(width));
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
            throw new ArgumentException($"Got heads of {x.shape[^1]} channels; the rotary positions expect {width}.",
            nameof(x));
        using var scope = NewDisposeScope();
        return At(positions, x.dtype).Turn(x).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the rotation at given positions, once for all layers.</summary>
    /// <param name="positions">int64 [batch, time], or [time] if it is the same for all rows of the batch.</param>
    /// <param name="dtype">Dtype of the queries and keys; the angles are computed in float32.</param>
    internal Rotation At(Tensor positions, ScalarType dtype)
    {
        var angle = positions.to(float32).unsqueeze(-1) * Frequencies(positions.device);   // [batch, time, d / 2]
        // [batch, 1, time, d / 2]
        if (positions.dim() == 2) angle = angle.unsqueeze(1);
        return new Rotation(angle.cos().to(dtype), angle.sin().to(dtype));
    }

    /// <summary>Angle between two neighbouring positions, float32 [d_head / 2].</summary>
    internal Tensor Frequencies(Device device)
    {
        var frequency = pow(wavelengthBase, arange(0, width, 2, float32, device) / -width);
        return scaling is null ? frequency : scaling.Of(frequency);
    }
}

/// <summary>
/// Cosines and sines of the rotation angles: [batch, 1, time, d_head / 2] or [time, d_head / 2].
/// </summary>
internal sealed record Rotation(Tensor Cosine, Tensor Sine)
{
    /// <summary>Rotates queries or keys, [batch, head, time, d_head].</summary>
    public Tensor Turn(Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = x.chunk(2, -1);
        return cat([(halves[0] * Cosine) - (halves[1] * Sine), (halves[1] * Cosine) + (halves[0] * Sine)], -1)
            .MoveToOuterDisposeScope();
    }
}
