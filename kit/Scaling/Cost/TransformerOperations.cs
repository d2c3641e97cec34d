namespace ResearchKit.Scaling;

/// <summary>Estimates of a transformer's operations from its sizes, as papers quote them; attention counts in full.</summary>
/// <remarks>
/// Chowdhery et al., 2022, https://arxiv.org/abs/2204.02311, appendix B. <see cref="ModelCost"/> counts the products themselves.
/// </remarks>
public static class TransformerOperations
{
    /// <summary>FLOPs of the forward pass of a token: 2 N + 4 L H Q T.</summary>
    /// <param name="parameters">N, without positions.</param>
    /// <param name="layers">L.</param>
    /// <param name="heads">H.</param>
    /// <param name="headWidth">Q, channels of a head.</param>
    /// <param name="context">T, length of the text.</param>
    public static double Forward(double parameters, int layers, int heads, int headWidth, int context) =>
        (2 * parameters) + (4.0 * layers * heads * headWidth * context);

    /// <summary>FLOPs of the forward and backward pass of a token: 6 N + 12 L H Q T.</summary>
    /// <inheritdoc cref="Forward"/>
    public static double Training(double parameters, int layers, int heads, int headWidth, int context) =>
        3 * Forward(parameters, layers, heads, headWidth, context);
}
