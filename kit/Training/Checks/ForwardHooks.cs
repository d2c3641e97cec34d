using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Forward hooks on all modules of a model, called in the order in which the modules finish.</summary>
internal static class ForwardHooks
{
    /// <summary>
    /// Registers a hook on each module from one tensor to one tensor. The caller disposes the hooks.
    /// </summary>
    /// <param name="model">The model. It is hooked too, under the empty name.</param>
    /// <param name="see">Called with the module's name, input and output.</param>
    public static List<IDisposable> Watch(nn.Module model, Action<string, Tensor, Tensor> see) =>
        [.. model.named_modules().Prepend(("", model))
            .Select(pair => (Name: pair.Item1, Module: pair.Item2 as nn.Module<Tensor, Tensor>))
            .Where(pair => pair.Module is not null)
            .Select(pair => Disposable.Of(pair.Module!.register_forward_hook((_, input, output) =>
            {
                see(pair.Name, input, output);
                return output;
            }).remove))];
}
