using ResearchKit.Layers;

namespace ResearchKit.Models;

/// <summary>Type of the recurrent layers of a model.</summary>
public enum RecurrentCell
{
    /// <summary><see cref="Layers.Lstm"/>.</summary>
    Lstm,

    /// <summary><see cref="Layers.Gru"/>.</summary>
    Gru,
}

/// <summary>Creates recurrent layers by type.</summary>
internal static class RecurrentCells
{
    public static RecurrentLayer Make(this RecurrentCell cell, RecurrentShape shape) => cell switch
    {
        RecurrentCell.Lstm => new Lstm(shape),
        RecurrentCell.Gru => new Gru(shape),
        _ => throw new ArgumentOutOfRangeException(nameof(cell), cell, "Not a known recurrent cell."),
    };
}
