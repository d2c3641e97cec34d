using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdamW"/>; the defaults are PyTorch's.</summary>
public sealed record FusedAdamWOptions : FusedAdamOptions
{
    /// <summary>PyTorch's defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public FusedAdamWOptions() => WeightDecay = 0.01;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new FusedAdamW(parameters, this);
}
