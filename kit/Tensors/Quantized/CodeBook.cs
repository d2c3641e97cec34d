namespace ResearchKit.Tensors;

/// <summary>The values between −1 and 1 that codes stand for, in ascending order, times a block's largest magnitude.</summary>
/// <param name="Name">Name of the book.</param>
/// <param name="Values">The values; code i stands for the i-th.</param>
public sealed record CodeBook(string Name, IReadOnlyList<float> Values)
{
    /// <summary>
    /// The 16 values of 4-bit normal floats: quantiles of a normal distribution, with an exact zero.
    /// </summary>
    /// <remarks>Dettmers et al., 2023, https://arxiv.org/abs/2305.14314, appendix E.</remarks>
    public static CodeBook Nf4 { get; } = new("nf4",
    [
        -1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
        -0.09105003625154495f, 0, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
        0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1,
    ]);

    /// <summary>Halfway between neighbouring values: a number goes to the nearer one.</summary>
    internal float[] Boundaries => [.. Values.Zip(Values.Skip(1), (low, high) => (low + high) / 2)];
}
