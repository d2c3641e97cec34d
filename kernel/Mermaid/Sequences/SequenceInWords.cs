using System.Text;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>Describes a sequence diagram in sentences, for screen readers.</summary>
internal static class SequenceInWords
{
    private const int Longest = 4_000;

    public static string Of(Sequence sequence)
    {
        var words = new StringBuilder(
            $"Sequence diagram of {string.Join(", ", sequence.Participants.Select(who => who.Label.Spoken))}.");
        Say(sequence.Items, words);
        return words.Length <= Longest ? words.ToString() : $"{words.ToString(0, Longest)}…";
    }

    private static void Say(IEnumerable<ISequenceItem> items, StringBuilder words)
    {
        foreach (var item in items)
            switch (item)
            {
                case Message message:
                    words.Append($" {message.From.Label.Spoken} to {message.To.Label.Spoken}: {message.Text.Spoken}.");
                    break;
                case SequenceNote note: words.Append($" Note at {note.First.Label.Spoken}: {note.Text.Spoken}."); break;
                case SequenceFrame frame:
                    foreach (var (label, inner) in frame.Sections)
                    {
                        if (frame.Kind != "rect") words.Append($" {frame.Kind} {label.Spoken}:");
                        Say(inner, words);
                    }
                    if (frame.Kind != "rect") words.Append($" End of {frame.Kind}.");
                    break;
            }
    }
}
