using ResearchKit.Tensors;

namespace ResearchKit.Layers;

/// <summary>Shape of an <see cref="Lstm"/> or <see cref="Gru"/>.</summary>
public sealed record RecurrentShape
{
    /// <summary>Channels of an input vector.</summary>
    public required int InputWidth { get; init; }

    /// <summary>Channels of the state, in each direction.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Layers, each reading what the one below says.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Read from both ends.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Whether the gates add biases, <c>bias_ih</c> and <c>bias_hh</c>.</summary>
    public bool HasBias { get; init; } = true;

    /// <summary>Dropout between layers.</summary>
    public double Dropout { get; init; }

    /// <summary>Sequences are [time, batch, channels] instead of [batch, time, channels].</summary>
    public bool TimeMajor { get; init; }

    /// <summary>1, or 2 if both.</summary>
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
