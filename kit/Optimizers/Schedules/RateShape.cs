namespace ResearchKit.Optimizers;

/// <summary>Shape of the transition of a rate from one value to another.</summary>
public enum RateShape
{
    /// <summary>Linear.</summary>
    Linear,

    /// <summary>Half a cosine wave: slow at both ends.</summary>
    Cosine,

    /// <summary>
    /// Falls as 1 - √progress, fastest at the start (Hägele et al., 2024, https://arxiv.org/abs/2405.18392); a rise
    /// is the reverse.
    /// </summary>
    OneMinusSqrt,
}
