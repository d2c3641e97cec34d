using System.Text.RegularExpressions;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>Parses a sequence diagram, after the keyword <c>sequenceDiagram</c>.</summary>
internal sealed partial class SequenceParser
{
    private const int Most = 2_000;
    private const int MostParticipants = 200;
    private const int Deepest = 16;
    private static readonly string[] Frames = ["loop", "alt", "opt", "par_over", "par", "critical", "break", "rect"];
    private static readonly (string Word, string Frame)[] Dividers = [("else", "alt"), ("and", "par"), ("option", "critical")];

    private readonly MermaidReader reader;
    private readonly Sequence sequence = new();
    private readonly Dictionary<string, Participant> known = new(StringComparer.Ordinal);
    private readonly Stack<SequenceFrame> open = new();
    private int count;
    private int? number;
    private bool isInBox;

    private SequenceParser(MermaidReader reader) => this.reader = reader;

    private List<ISequenceItem> Here => open.Count > 0 ? open.Peek().Sections[^1].Items : sequence.Items;

    public static Sequence Read(MermaidReader reader) => new SequenceParser(reader).Read();

    private Sequence Read()
    {
        reader.EndStatement();
        for (reader.SkipBlank(); !reader.IsAtEnd; reader.SkipBlank())
        {
            if (++count > Most)
                throw reader.Refused($"The diagram has more than {Most:N0} statements; a diagram can "
                    + "have at most that many.");
            Statement();
            reader.EndStatement();
        }
        if (open.Count > 0) throw reader.Expected($"\"end\" for \"{open.Peek().Kind}\"");
        if (isInBox) throw reader.Expected("\"end\" for \"box\"");
        return sequence;
    }

    private void Statement()
    {
        var start = reader.Position;
        if (reader.TakeKeyword("create")) reader.SkipSpaces();
        if (reader.TakeKeyword("participant")) Declare(isActor: false);
        else if (reader.TakeKeyword("actor")) Declare(isActor: true);
        else if (reader.TakeKeyword("autonumber"))
        {
            number = reader.TakeLine() is "off" ? null : 1;
        }
        else if (reader.TakeKeyword("note") || reader.TakeKeyword("Note")) Note();
        else if (reader.TakeKeyword("activate")) Here.Add(new Activation(Who(), true));
        else if (reader.TakeKeyword("deactivate")) Here.Add(new Activation(Who(), false));
        else if (reader.TakeKeyword("title")) Title();
        else if (reader.TakeKeyword("box")) Box(start);
        else if (reader.TakeKeyword("end")) End(start);
        else if (reader.TakeKeyword("destroy") || reader.TakeKeyword("link") || reader.TakeKeyword("links")
            || reader.TakeKeyword("properties") || reader.TakeKeyword("details")) _ = reader.TakeLine();
        else if (!reader.TakeCommon() && !Frame(start) && !Divider(start)) Arrow();
    }

    [GeneratedRegex(@"\G(<<-->>|<<->>|-->>|->>|-->|->|--x|-x|--\)|-\))")]
    private static partial Regex ArrowMark();

    private void Title()
    {
        _ = reader.Take(":");
        reader.Title = reader.TakeLine();
    }

    private Participant Who()
    {
        var at = reader.Position;
        var name = reader.Take("\"") ? reader.TakeUntil("\"") : Words();
        if (known.TryGetValue(name, out var who)) return who;
        if (sequence.Participants.Count == MostParticipants)
            throw reader.Refused($"The diagram has more than {MostParticipants} participants; a diagram can "
                + "have at most that many.", at);
        who = new Participant(sequence.Participants.Count, name);
        sequence.Participants.Add(who);
        return known[name] = who;
    }

    /// <summary>Takes a name, which may contain spaces; it ends at an arrow, a colon or a comma.</summary>
    private string Words()
    {
        var name = reader.TakeName("a participant's name", arrow: "-x");
        while (true)
        {
            var before = reader.Position;
            reader.SkipSpaces();
            if (reader.Position == before || !char.IsLetterOrDigit(reader.Current) || reader.Starts("as "))
            {
                reader.Position = before;
                return name;
            }
            name = $"{name} {reader.TakeName("a participant's name", arrow: "-x")}";
        }
    }

    private void Declare(bool isActor)
    {
        var who = Who();
        who.IsActor = isActor;
        reader.SkipSpaces();
        if (reader.TakeKeyword("as")) who.Label = TextBlock.Of(reader.TakeLine());
    }

    private void Arrow()
    {
        var from = Who();
        reader.SkipSpaces();
        if (reader.Take(ArrowMark()) is not { } mark) throw reader.Expected("an arrow such as \"->>\" or \"-->>\"");
        reader.SkipSpaces();
        var (begins, ends) = (reader.Take("+"), reader.Take("-"));
        reader.SkipSpaces();
        var to = Who();
        reader.SkipSpaces();
        if (!reader.Take(":")) throw reader.Expected("\":\" and the message");
        var text = TextBlock.Of(reader.TakeLine(), TextBlock.Small);
        Here.Add(new Message(from, to, text, mark.Value.Contains("--", StringComparison.Ordinal), Head(mark.Value))
        {
            IsBothWays = mark.Value[0] == '<',
            Begins = begins,
            Number = number,
        });
        if (number is not null) number++;
        if (begins) Here.Add(new Activation(to, true));
        if (ends) Here.Add(new Activation(from, false));
    }

    private static EdgeHead Head(string mark) => mark switch
    {
        _ when mark.EndsWith(">>", StringComparison.Ordinal) => EdgeHead.Arrow,
        _ when mark.EndsWith('x') => EdgeHead.Cross,
        _ when mark.EndsWith(')') => EdgeHead.Open,
        _ => EdgeHead.None,
    };

    private void Note()
    {
        var side = reader.TakeKeyword("over") ? NoteSide.Over : reader.TakeKeyword("left") ? NoteSide.Left
            : reader.TakeKeyword("right") ? NoteSide.Right : throw reader.Expected("\"over\", \"left of\" or \"right of\"");
        if (side != NoteSide.Over && !reader.TakeKeyword("of")) throw reader.Expected("\"of\" and a participant's name");
        var (first, last) = (Who(), default(Participant));
        reader.SkipSpaces();
        if (side == NoteSide.Over && reader.Take(","))
        {
            reader.SkipSpaces();
            last = Who();
            reader.SkipSpaces();
        }
        if (!reader.Take(":")) throw reader.Expected("\":\" and the note");
        var text = TextBlock.Of(reader.TakeLine(), TextBlock.Small);
        last ??= first;
        Here.Add(first.Index <= last.Index ? new SequenceNote(side, first, last, text)
            : new SequenceNote(side, last, first, text));
    }

    private bool Frame(int start)
    {
        if (Frames.FirstOrDefault(reader.TakeKeyword) is not { } kind) return false;
        if (open.Count == Deepest)
            throw reader.Refused($"Frames are nested more than {Deepest} deep inside each other.", start);
        var words = reader.TakeLine();
        var frame = new SequenceFrame(kind == "par_over" ? "par" : kind, kind == "rect" && Paint.IsColor(words) ? words : null);
        frame.Sections.Add((TextBlock.Of(kind == "rect" ? "" : words, TextBlock.Small), []));
        Here.Add(frame);
        open.Push(frame);
        return true;
    }

    private bool Divider(int start)
    {
        foreach (var (word, kind) in Dividers)
        {
            if (!reader.TakeKeyword(word)) continue;
            if (open.Count == 0 || open.Peek().Kind != kind)
                throw reader.Refused($"found \"{word}\" outside of \"{kind}\".", start);
            open.Peek().Sections.Add((TextBlock.Of(reader.TakeLine(), TextBlock.Small), []));
            return true;
        }
        return false;
    }

    /// <summary>
    /// Parses a box, which only groups participants. It is not drawn, since they normally stand side by side
    /// anyway.
    /// </summary>
    private void Box(int start)
    {
        if (isInBox || open.Count > 0)
            throw reader.Refused("found a \"box\" inside another box or a frame; expected it outside of both.", start);
        _ = reader.TakeLine();
        isInBox = true;
    }

    private void End(int start)
    {
        if (isInBox) isInBox = false;
        else if (!open.TryPop(out _)) throw reader.Refused("found \"end\" without an open "
            + "frame such as \"loop\".", start);
    }
}
