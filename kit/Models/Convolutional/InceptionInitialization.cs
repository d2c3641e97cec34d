using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>How the weights of the Inception networks begin.</summary>
internal static class InceptionInitialization
{
    /// <summary>Convolutions and linear layers normal; norms are identities already, biases stay uniform.</summary>
    /// <remarks>
    /// torchvision cuts the normal off at ±2, twenty deviations out or more, where no number falls. (TorchSharp's
    /// <c>trunc_normal_</c> gives the same number everywhere.)
    /// </remarks>
    /// <param name="network">Whose weights.</param>
    /// <param name="deviation">Standard deviation of a layer's weight, by its name.</param>
    public static void Initialize(nn.Module network, Func<string, double> deviation)
    {
        foreach (var (name, module) in network.named_modules())
        {
            if (module is Convolution2d convolution) init.normal_(convolution.Weight, 0, deviation(name));
            else if (module is Dense linear) init.normal_(linear.weight, 0, deviation(name));
        }
    }
}
