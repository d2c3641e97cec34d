using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>A participant: a column of the drawing.</summary>
/// <param name="index">The column, from 0.</param>
/// <param name="id">The name in the diagram's text.</param>
internal sealed class Participant(int index, string id)
{
    public int Index => index;

    public string Id => id;

    public TextBlock Label { get; set; } = TextBlock.Of(id);

    /// <summary>True for an actor, which is drawn as a person.</summary>
    public bool IsActor { get; set; }
}

/// <summary>An item of a sequence diagram; items are drawn from top to bottom.</summary>
internal interface ISequenceItem;

/// <summary>A message: an arrow between two participants.</summary>
internal sealed record Message(Participant From, Participant To, TextBlock Text, bool IsDashed, EdgeHead Head) : ISequenceItem
{
    /// <summary>True for an arrowhead at both ends.</summary>
    public bool IsBothWays { get; init; }

    /// <summary>True if the message activates its receiver.</summary>
    public bool Begins { get; init; }

    /// <summary>The number of the message if messages are numbered; null otherwise.</summary>
    public int? Number { get; init; }
}

/// <summary>The position of a note.</summary>
internal enum NoteSide
{
    Over,
    Left,
    Right,
}

/// <summary>A note beside or over participants.</summary>
internal sealed record SequenceNote(NoteSide Side, Participant First, Participant Last, TextBlock Text) : ISequenceItem;

/// <summary>The start or end of a participant's activation.</summary>
internal sealed record Activation(Participant Who, bool Begins) : ISequenceItem;

/// <summary>A frame around items, such as a loop.</summary>
/// <param name="kind">The label in its corner; <c>rect</c> for a frame that is only a background.</param>
/// <param name="fill">The background color.</param>
internal sealed class SequenceFrame(string kind, string? fill = null) : ISequenceItem
{
    public string Kind => kind;

    public string? Fill => fill;

    public List<(TextBlock Label, List<ISequenceItem> Items)> Sections { get; } = [];
}

/// <summary>A sequence diagram.</summary>
internal sealed class Sequence
{
    public List<Participant> Participants { get; } = [];

    public List<ISequenceItem> Items { get; } = [];
}
