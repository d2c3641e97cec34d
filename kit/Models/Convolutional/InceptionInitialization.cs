using ResearchKit.Layers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Models;

/// <summary>Initialization of the Inception networks.</summary>
internal static class InceptionInitialization
{
    /// <summary>
    /// Initializes convolutions and linear layers from a normal distribution; norms already start as identities,
    /// and biases stay uniform.
    /// </summary>
    /// <remarks>
    /// torchvision truncates the normal distribution at ±2, at least twenty standard deviations, which has no
    /// effect. (TorchSharp's <c>trunc_normal_</c> is not used because it fills a tensor with a single value.)
    /// </remarks>
    /// <param name="network">The network to initialize.</param>
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
