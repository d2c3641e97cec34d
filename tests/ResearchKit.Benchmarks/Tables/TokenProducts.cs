using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// All products of one token with a model's weights, and nothing else: what its time cannot fall below by fewer small operations.
/// </summary>
internal sealed class TokenProducts : IDisposable
{
    private readonly List<(nn.Module<Tensor, Tensor> Layer, Tensor Input)> layers = [];
    private readonly Gpt model;
    private readonly Tensor features;

    public TokenProducts(Gpt model)
    {
        this.model = model;
        features = randn(1, model.Config.ModelWidth);
        foreach (var (_, module) in model.named_modules())
            if (module is Conv1D layer) layers.Add((layer, randn(1, 1, layer.get_parameter("weight")!.shape[0])));
    }

    public void Run()
    {
        using var noGrad = no_grad();
        foreach (var (layer, input) in layers) layer.call(input).Dispose();
        model.Head(features).Dispose();
    }

    public void Dispose()
    {
        foreach (var (_, input) in layers) input.Dispose();
        features.Dispose();
    }
}
