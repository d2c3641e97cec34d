using ResearchKit.Tensors;

namespace ResearchKit.Layers;

/// <summary>Shape of an <see cref="Lstm"/> or <see cref="Gru"/>.</summary>
public sealed record RecurrentShape
{
    /// <summary>Input channels.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Channels of the hidden state, in each direction.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Number of layers; each layer reads the outputs of the one below.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether sequences are read in both directions.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Whether the layers have the biases <c>bias_ih</c> and <c>bias_hh</c>.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Dropout probability between layers.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether sequences are [time, batch, channels] instead of [batch, time, channels].</summary>
    public bool TimeMajor { get; init; }

    /// <summary>Number of directions: 2 if bidirectional, else 1.</summary>
    public int Directions => Bidirectional ? 2 : 1;

    internal RecurrentShape Validated()
    {
        foreach (var (value, name) in new[] { (InputWidth, nameof(InputWidth)), (HiddenWidth, nameof(HiddenWidth)),
            (Layers, nameof(Layers)) })
            if (value < 1) throw new ArgumentException($"{name} is {value}; it must be at least 1.");
        Require.Probability(Dropout, nameof(Dropout));
        return this;
    }
}
