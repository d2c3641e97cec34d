namespace ResearchKit.Optimizers;

/// <summary>How LAMB makes up for moments that began as zeros.</summary>
public enum LambBiasCorrection
{
    /// <summary>Not at all: the third version of the paper.</summary>
    None,

    /// <summary>Both moments are divided before the denominator is made.</summary>
    Moments,

    /// <summary>The learning rate is multiplied by the ratio of both corrections.</summary>
    LearningRate,
}
