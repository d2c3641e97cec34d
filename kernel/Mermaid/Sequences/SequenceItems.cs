using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>One who takes part; a column of the drawing.</summary>
/// <param name="index">Its column, from 0.</param>
/// <param name="id">Its name in the text.</param>
internal sealed class Participant(int index, string id)
{
    public int Index => index;

    public string Id => id;

    public TextBlock Label { get; set; } = TextBlock.Of(id);

    /// <summary>True for a person, drawn as one.</summary>
    public bool IsActor { get; set; }
}

/// <summary>What happens, from top to bottom.</summary>
internal interface ISequenceItem;

/// <summary>An arrow from one to another.</summary>
internal sealed record Message(Participant From, Participant To, TextBlock Text, bool IsDashed, EdgeHead Head) : ISequenceItem
{
    /// <summary>True for a head at both ends.</summary>
    public bool IsBothWays { get; init; }

    /// <summary>True where who gets it begins to be busy.</summary>
    public bool Begins { get; init; }

    /// <summary>Its number, where messages are counted.</summary>
    public int? Number { get; init; }
}

/// <summary>Where a note stands.</summary>
internal enum NoteSide
{
    Over,
    Left,
    Right,
}

/// <summary>A note beside or over some who take part.</summary>
internal sealed record SequenceNote(NoteSide Side, Participant First, Participant Last, TextBlock Text) : ISequenceItem;

/// <summary>A participant begins or ends to be busy.</summary>
internal sealed record Activation(Participant Who, bool Begins) : ISequenceItem;

/// <summary>A frame around some of what happens, such as a loop.</summary>
/// <param name="kind">The word in its corner; <c>rect</c> for a mere ground.</param>
/// <param name="fill">The ground's color.</param>
internal sealed class SequenceFrame(string kind, string? fill = null) : ISequenceItem
{
    public string Kind => kind;

    public string? Fill => fill;

    public List<(TextBlock Label, List<ISequenceItem> Items)> Sections { get; } = [];
}

/// <summary>A whole diagram.</summary>
internal sealed class Sequence
{
    public List<Participant> Participants { get; } = [];

    public List<ISequenceItem> Items { get; } = [];
}
