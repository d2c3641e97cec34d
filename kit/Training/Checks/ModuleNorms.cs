using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Norms of a module's parameters, gradients and activations.</summary>
/// <param name="Module">
/// Name of the module, such as <c>transformer.h.0.mlp</c>; empty for the model itself.
/// </param>
/// <param name="Weight">Euclidean norm of the module's own parameters; null if it has none.</param>
/// <param name="Gradient">Euclidean norm of their gradients before clipping; null if there are none.</param>
/// <param name="Activation">Root mean square of the module's output; null if it was not recorded.</param>
public readonly record struct ModuleNorms(string Module, double? Weight, double? Gradient, double? Activation);

/// <summary>Records the norms of a model's modules for one step.</summary>
internal sealed class NormWatch : IDisposable
{
    private readonly nn.Module model;
    private readonly Dictionary<string, double> activations = [];
    private readonly List<IDisposable> hooks;

    public NormWatch(nn.Module model)
    {
        this.model = model;
        hooks = ForwardHooks.Watch(model, (name, _, output) =>
        {
            if (!output.is_floating_point() || output.numel() == 0) return;
            using var noGrad = no_grad();
            using var square = output.detach().to(float32).square();
            using var mean = square.mean();
            activations[name] = Math.Sqrt(mean.item<float>());
        });
    }

    /// <summary>Returns the norms after the backward pass.</summary>
    public IReadOnlyList<ModuleNorms> Read()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return [.. model.named_modules().Prepend(("", model)).Select(pair => Of(pair.Item1, pair.Item2))
            .Where(norms => norms is not { Weight: null, Activation: null })];
    }

    public void Dispose()
    {
        foreach (var hook in hooks) hook.Dispose();
    }

    private ModuleNorms Of(string name, nn.Module module)
    {
        var own = module.named_parameters(recurse: false).Select(pair => pair.parameter).ToList();
        var gradients = own.Select(parameter => parameter.grad).OfType<Tensor>().ToList();
        return new ModuleNorms(name, Length(own), Length(gradients),
            activations.TryGetValue(name, out var activation) ? activation : null);
    }

    private static double? Length(IReadOnlyCollection<Tensor> tensors) =>
        tensors.Count == 0 ? null : Math.Sqrt(tensors.Sum(tensor => tensor.to(float64).square().sum().item<double>()));
}
