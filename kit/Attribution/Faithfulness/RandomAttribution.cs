using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>Attributions that know nothing of the model: the floor of every comparison.</summary>
public sealed record RandomAttribution : AttributionMethod
{
    /// <summary>Seed of the numbers.</summary>
    public int Seed { get; init; }

    /// <inheritdoc/>
    public override string Name => "random";

    internal override Found Explain(Explained explained, Tensor input)
    {
        using var generator = new Generator((ulong)Seed, CPU);
        return new Found(randn(input.shape, dtype: input.is_floating_point() ? input.dtype : float32, generator: generator)
            .to(input.device))
        { Notes = [$"seed {Seed}"] };
    }
}
