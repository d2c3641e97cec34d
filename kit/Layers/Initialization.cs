using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Creates linear layers initialized as in published transformers: normally distributed weights and zero
/// biases.
/// </summary>
internal static class Initialization
{
    /// <summary>Creates a linear layer.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="bias">Whether the layer has a bias.</param>
    /// <param name="deviation">Standard deviation of the weight.</param>
    public static Dense Dense(int inputs, int outputs, bool bias = true, double deviation = 0.02)
    {
        var layer = new Dense(inputs, outputs, bias);
        init.normal_(layer.weight, 0, deviation);
        if (bias) init.zeros_(layer.bias!);
        return layer;
    }
}
