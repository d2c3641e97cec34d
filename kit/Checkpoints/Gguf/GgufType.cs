namespace ResearchKit.Checkpoints;

/// <summary>How the numbers of a tensor are stored in a GGUF file; the values are those of the format.</summary>
public enum GgufType
{
    /// <summary>32-bit floats.</summary>
    F32 = 0,

    /// <summary>16-bit floats.</summary>
    F16 = 1,

    /// <summary>4 bits in blocks of 32 with one scale: 18 bytes.</summary>
    Q4_0 = 2,

    /// <summary>8 bits in blocks of 32 with one scale: 34 bytes.</summary>
    Q8_0 = 8,

    /// <summary>4 bits in blocks of 256, with 6-bit scales and minima of 8 parts: 144 bytes.</summary>
    Q4_K = 12,

    /// <summary>6 bits in blocks of 256, with 8-bit scales of 16 parts: 210 bytes.</summary>
    Q6_K = 14,

    /// <summary>bfloat16.</summary>
    BF16 = 30,
}
