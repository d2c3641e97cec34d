namespace ResearchKit.Interpretability;

/// <summary>What the cells of a lens show beside the predicted token.</summary>
public enum LensMeasure
{
    /// <summary>Probability of the predicted token.</summary>
    TopProbability,

    /// <summary>Probability of the token that follows in the text; NaN at the last position.</summary>
    NextProbability,

    /// <summary>Entropy of the prediction, in nats.</summary>
    Entropy,

    /// <summary>Kullback-Leibler divergence from the model's output to the prediction, in nats.</summary>
    Divergence,
}
