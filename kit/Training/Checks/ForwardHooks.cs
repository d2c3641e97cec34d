using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Sees what each module of a model gives, in the order in which they finish.</summary>
internal static class ForwardHooks
{
    /// <summary>Calls back for each module that takes one tensor and gives one; the hooks are the caller's to dispose.</summary>
    /// <param name="model">It too is seen, under the empty name.</param>
    /// <param name="see">Gets the module's name, its input and its output.</param>
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
