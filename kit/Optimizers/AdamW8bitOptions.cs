using TorchSharp.Modules;

namespace ResearchKit.Optimizers;

/// <summary>Settings of <see cref="AdamW8bit"/>.</summary>
public sealed record AdamW8bitOptions : AdamOptions
{
    /// <summary>PyTorch's AdamW defaults: a rate of 0.001 and a decay of 0.01.</summary>
    public AdamW8bitOptions() => WeightDecay = 0.01;

    /// <summary>Numbers that share a scale.</summary>
    public int BlockSize { get; init; } = 256;

    /// <summary>Parameters of fewer numbers than this keep moments of full precision: norms and biases, which are sensitive and small.</summary>
    public int SmallestQuantized { get; init; } = 4096;

    /// <inheritdoc/>
    public override Optimizer Create(IEnumerable<(string Name, Parameter Parameter)> parameters) => new AdamW8bit(parameters, this);

    /// <inheritdoc/>
    protected internal override void Check()
    {
        base.Check();
        Setting.AtLeast(1, BlockSize);
        Setting.AtLeast(0, SmallestQuantized);
    }
}
