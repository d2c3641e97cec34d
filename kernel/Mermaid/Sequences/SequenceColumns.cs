namespace ResearchKit.Mermaid.Sequences;

/// <summary>
/// Computes the distances between participants, so that all messages and notes fit between them.
/// </summary>
internal sealed class SequenceColumns
{
    public const double BoxPad = 16;
    public const double NotePad = 10;
    public const double LoopReach = 34;
    private const double Least = 50;

    private readonly Sequence sequence;
    private readonly List<(int From, int To, double Distance)> wishes = [];

    public SequenceColumns(Sequence sequence)
    {
        this.sequence = sequence;
        Centres = new double[sequence.Participants.Count];
        for (var i = 0; i + 1 < Centres.Length; i++)
            wishes.Add((i, i + 1, ((WidthOf(sequence.Participants[i]) + WidthOf(sequence.Participants[i + 1])) / 2) + Least));
        Collect(sequence.Items, 0);
        var byEnd = wishes.ToLookup(wish => wish.To);
        for (var i = 1; i < Centres.Length; i++) Centres[i] = byEnd[i].Max(wish => Centres[wish.From] + wish.Distance);
    }

    /// <summary>The x coordinates of the participants' lines, from left to right.</summary>
    public double[] Centres { get; }

    public static double WidthOf(Participant who) => Math.Max(who.Label.Width + (2 * BoxPad), who.IsActor ? 40 : 70);

    public static double WidthOf(SequenceNote note) => note.Text.Width + (2 * NotePad);

    private void Collect(IEnumerable<ISequenceItem> items, int depth)
    {
        foreach (var item in items)
            switch (item)
            {
                case Message message when message.From == message.To:
                    Wish(message.From.Index, message.From.Index + 1, message.Text.Width + LoopReach + 24);
                    break;
                case Message message:
                    var (left, right) = (Math.Min(message.From.Index, message.To.Index),
                        Math.Max(message.From.Index, message.To.Index));
                    Wish(left, right, message.Text.Width + 44 + (message.Number is null ? 0 : 24));
                    break;
                case SequenceNote { Side: NoteSide.Right } note:
                    Wish(note.First.Index, note.First.Index + 1, WidthOf(note) + 24 + (depth * 10));
                    break;
                case SequenceNote { Side: NoteSide.Left } note:
                    Wish(note.First.Index - 1, note.First.Index, WidthOf(note) + 24 + (depth * 10));
                    break;
                case SequenceNote note when note.First == note.Last:
                    Wish(note.First.Index, note.First.Index + 1, (WidthOf(note) / 2) + 24);
                    Wish(note.First.Index - 1, note.First.Index, (WidthOf(note) / 2) + 24);
                    break;
                case SequenceNote note: Wish(note.First.Index, note.Last.Index, WidthOf(note) - 30); break;
                case SequenceFrame frame:
                    foreach (var section in frame.Sections) Collect(section.Items, depth + 1);
                    break;
            }
    }

    private void Wish(int from, int to, double distance)
    {
        if (from >= 0 && to < sequence.Participants.Count) wishes.Add((from, to, distance));
    }
}
