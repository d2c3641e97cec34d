using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>Modules that are not linear, and how their output is replaced by another function of their input.</summary>
internal static class Nonlinearity
{
    public static bool IsRelu(nn.Module module) => module is ReLU or Layers.Relu;

    /// <summary>Whether a module applies one function to each element, so that the rescale rule fits it.</summary>
    public static bool IsElementwise(nn.Module module) =>
        IsRelu(module) || module is Tanh or Sigmoid or ELU or SELU or GELU or SiLU or Softplus or LeakyReLU or CELU or Hardtanh
            or ReLU6 or Mish or Hardswish or Hardsigmoid or LogSigmoid or Softsign;

    /// <summary>Replaces what a module returns.</summary>
    /// <param name="module">The module.</param>
    /// <param name="function">
    /// Takes the input, a copy of it that is cut from the graph before it, and the module's own output of that copy.
    /// </param>
    /// <returns>What undoes the replacement.</returns>
    public static IReadOnlyList<Action> Replace(nn.Module<Tensor, Tensor> module, Func<Tensor, Tensor, Tensor, Tensor> function)
    {
        var inputs = new Stack<(Tensor Input, Tensor Leaf)>();
        var before = module.register_forward_pre_hook((_, x) =>
        {
            var leaf = x.detach().requires_grad_();
            inputs.Push((x, leaf));
            return leaf.clone();   // a module may overwrite its input
        });
        var after = module.register_forward_hook((_, _, output) =>
        {
            var (input, leaf) = inputs.Pop();
            return function(input, leaf, output);
        });
        return [before.remove, after.remove];
    }
}
