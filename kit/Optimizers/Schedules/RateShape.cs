namespace ResearchKit.Optimizers;

/// <summary>How a rate goes from one value to another.</summary>
public enum RateShape
{
    /// <summary>In a line.</summary>
    Linear,

    /// <summary>On half a cosine: slowly at both ends.</summary>
    Cosine,

    /// <summary>
    /// As 1 - √progress from the higher value, fastest there (Hägele et al., 2024, https://arxiv.org/abs/2405.18392); a rise is
    /// that backwards.
    /// </summary>
    OneMinusSqrt,
}
