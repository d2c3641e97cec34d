namespace ResearchKit.Native;

/// <summary>Memory that one thread of a step writes: its copy of the residual stream, and inputs as whole numbers.</summary>
/// <param name="width">Channels of the residual stream.</param>
/// <param name="widest">Most inputs of a product.</param>
/// <param name="headWidth">Channels of a head.</param>
/// <param name="time">Most tokens.</param>
internal sealed unsafe class StepRoom(int width, int widest, int headWidth, int time)
{
    private readonly FixedArray<float> stream = new(width), normal = new(width), query = new(headWidth), key = new(headWidth),
        scores = new(time), scales = new(widest + 4);
    private readonly FixedArray<short> codes = new(widest + 4);
    private readonly FixedArray<int> sums = new(widest + 4);

    /// <summary>[width], the residual stream.</summary>
    public float* Stream => stream.At;

    /// <summary>[width], what a norm makes of it.</summary>
    public float* Normal => normal.At;

    /// <summary>[d_head], a query.</summary>
    public float* Query => query.At;

    /// <summary>[d_head], a key.</summary>
    public float* Key => key.At;

    /// <summary>[time], scores of a head.</summary>
    public float* Scores => scores.At;

    /// <summary>[inputs], inputs of a product as whole numbers.</summary>
    public short* Codes => codes.At;

    /// <summary>Scales of the segments of these.</summary>
    public float* Scales => scales.At;

    /// <summary>Sums of the segments of these.</summary>
    public int* Sums => sums.At;
}
