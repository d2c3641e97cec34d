using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>The gradient of the target at the input: how much it changes when a value changes a little.</summary>
/// <remarks>Simonyan, Vedaldi and Zisserman, 2013, https://arxiv.org/abs/1312.6034. It does not sum to the score.</remarks>
public sealed record Saliency : AttributionMethod
{
    /// <summary>Whether the sign is dropped, as in the paper.</summary>
    public bool Absolute { get; init; } = true;

    /// <summary>Whether the gradient is multiplied by the input or activation (input × gradient; then signed).</summary>
    public bool TimesInput { get; init; }

    /// <summary>Name of the module whose output is attributed to; null for the input.</summary>
    public string? At { get; init; }

    /// <summary>
    /// Index of a neuron in the output of <see cref="At"/>, which then takes the place of the target, and the input that of the
    /// layer; null for the target.
    /// </summary>
    public IReadOnlyList<long>? Neuron { get; init; }

    /// <inheritdoc/>
    public override string Name => TimesInput ? "input × gradient" : "saliency";

    internal override void Check()
    {
        if (Neuron is not null && At is null)
            throw new ArgumentException("Neuron is given without the layer that it lies in (At).");
    }

    internal override Found Explain(Explained explained, Tensor input)
    {
        var (activation, gradient) = (input, input);
        if (Neuron is not null) (_, gradient) = explained.NeuronGradients(At!, input, Neuron);
        else if (At is null) (_, gradient) = explained.Gradient(input);
        else (_, activation, gradient) = explained.GradientAt(At, input);
        return new Found(TimesInput ? gradient * activation : Absolute ? gradient.abs() : gradient);
    }
}
