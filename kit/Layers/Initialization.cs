using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>Linear layers as the published transformers start them: normally distributed weights, biases of zero.</summary>
internal static class Initialization
{
    /// <summary>A linear layer.</summary>
    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="bias">Whether it adds a bias.</param>
    /// <param name="deviation">Standard deviation of the weight.</param>
    public static Dense Dense(int inputs, int outputs, bool bias = true, double deviation = 0.02)
    {
        var layer = new Dense(inputs, outputs, bias);
        init.normal_(layer.weight, 0, deviation);
        if (bias) init.zeros_(layer.bias!);
        return layer;
    }
}
