using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="FusedAdam"/>; the defaults are PyTorch's.</summary>
public record FusedAdamOptions : AdamOptions
{
    /// <summary>Whether the denominator is of the largest mean squared gradient so far (Reddi et al., 2018, https://arxiv.org/abs/1904.09237).</summary>
    public bool AmsGrad { get; init; }

    /// <summary>Whether a step goes up the gradient.</summary>
    public bool Maximize { get; init; }

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new FusedAdam(parameters, this);
}
