using System.Globalization;
using ResearchKit.Mermaid.Drawing;
using ResearchKit.Mermaid.Graphs;
using ResearchKit.Mermaid.Layout;
using ResearchKit.Mermaid.Lettering;
using ResearchKit.Mermaid.Reading;

namespace ResearchKit.Mermaid.Sequences;

/// <summary>Draws a sequence diagram from top to bottom.</summary>
internal sealed class SequenceDrawing
{
    private const double BarWidth = 10;
    private const double Between = 18;
    private const double FramePad = 12;

    private readonly Sequence sequence;
    private readonly double[] centres;
    private readonly List<double>[] busy;
    private readonly List<(int Who, int Level, double From, double To)> bars = [];
    private readonly List<Action<Svg>> grounds = [];
    private readonly List<Action<Svg>> front = [];
    private readonly LineGaps texts = new();
    private readonly LineGaps notes = new();
    private double y;
    private double left;
    private double right;

    private SequenceDrawing(Sequence sequence)
    {
        this.sequence = sequence;
        centres = new SequenceColumns(sequence).Centres;
        busy = [.. centres.Select(_ => new List<double>())];
    }

    public static string Html(Sequence sequence, MermaidReader said) => new SequenceDrawing(sequence).Html(said);

    private string Html(MermaidReader said)
    {
        var people = sequence.Participants;
        var head = people.Select(HeadHeight).DefaultIfEmpty(0).Max();
        y = head + Between;
        Draw(sequence.Items);
        for (var who = 0; who < busy.Length; who++)
            while (busy[who].Count > 0) EndBar(who);
        y += 6;
        foreach (var who in people)
            Widen(centres[who.Index] - (SequenceColumns.WidthOf(who) / 2),
                centres[who.Index] + (SequenceColumns.WidthOf(who) / 2));
        var svg = new Svg();
        foreach (var ground in grounds) ground(svg);
        foreach (var x in centres)
            foreach (var (from, to) in texts.Parts(x, head, y)) svg.Line(new Point(x, from), new Point(x, to), "faint");
        foreach (var bar in bars.OrderBy(bar => bar.Level)) DrawBar(svg, bar.Who, bar.Level, bar.From, bar.To);
        foreach (var part in front) part(svg);
        foreach (var who in people)
        {
            DrawHead(svg, who, head - HeadHeight(who));
            DrawHead(svg, who, y);
        }
        var bounds = new Box(left - 10, -10, right - left + 20, y + head + 20);
        if (said.Title is { Length: > 0 } words)
        {
            var title = TextBlock.Title(words);
            svg.Text(title, new Point(bounds.Centre.X, -10 - title.Height), "middle");
            var wide = Math.Max(bounds.Width, title.Width + 20);
            bounds = new Box(bounds.Centre.X - (wide / 2), -18 - title.Height, wide, bounds.Height + title.Height + 8);
        }
        return svg.Document(bounds, said.SpokenTitle ?? said.Title ?? "Sequence diagram",
            said.Description ?? SequenceInWords.Of(sequence));
    }

    private void Widen(double from, double to) => (left, right) = (Math.Min(left, from), Math.Max(right, to));

    private static double HeadHeight(Participant who) => who.IsActor ? 48 + who.Label.Height : who.Label.Height + 18;

    private void DrawHead(Svg svg, Participant who, double top)
    {
        var (x, width) = (centres[who.Index], SequenceColumns.WidthOf(who));
        svg.Open("node");
        if (who.IsActor)
        {
            svg.Ellipse(new Point(x, top + 9), 7, 7);
            svg.Path($"M{Svg.Number(x)},{Svg.Number(top + 16)} v15 m-13,-9 h26 m-13,9 l-11,13 m11,-13 l11,13", "inner");
        }
        else svg.Rectangle(new Box(x - (width / 2), top, width, who.Label.Height + 18), 4);
        svg.Close();
        svg.Text(who.Label, new Point(x, top + (who.IsActor ? 47 : 9)), "middle");
    }

    private void Draw(IEnumerable<ISequenceItem> items)
    {
        foreach (var item in items)
            switch (item)
            {
                case Message message when message.From == message.To: DrawLoop(message); break;
                case Message message: DrawMessage(message); break;
                case SequenceNote note: DrawNote(note); break;
                case Activation { Begins: true } begin: busy[begin.Who.Index].Add(y - Between); break;
                case Activation end: if (busy[end.Who.Index].Count > 0) EndBar(end.Who.Index); break;
                case SequenceFrame frame: DrawFrame(frame); break;
            }
    }

    private void EndBar(int who)
    {
        bars.Add((who, busy[who].Count - 1, busy[who][^1], Math.Max(busy[who][^1] + 8, y - Between)));
        busy[who].RemoveAt(busy[who].Count - 1);
    }

    private void DrawBar(Svg svg, int who, int level, double from, double to)
    {
        svg.Open("node");
        foreach (var (top, bottom) in notes.Parts(centres[who], from, to))
            svg.Rectangle(new Box(centres[who] - (BarWidth / 2) + (level * 5), top, BarWidth, bottom - top), 2);
        svg.Close();
    }

    /// <summary>
    /// Returns the x coordinate where a message meets a participant: the edge of its innermost activation bar.
    /// </summary>
    private double Edge(int who, bool onRight, int begins = 0)
    {
        var count = busy[who].Count + begins;
        if (count == 0) return centres[who];
        return centres[who] + (onRight ? (BarWidth / 2) + ((count - 1) * 5) : -BarWidth / 2);
    }

    private void DrawMessage(Message message)
    {
        var goesRight = message.From.Index < message.To.Index;
        var (from, to) = (Edge(message.From.Index, goesRight), Edge(message.To.Index, !goesRight, message.Begins ? 1 : 0));
        var line = y + message.Text.Height + 2;
        var text = new Point((centres[message.From.Index] + centres[message.To.Index]) / 2, y - 2);
        texts.Add(new Box(text.X - (message.Text.Width / 2), text.Y, message.Text.Width, message.Text.Height));
        front.Add(svg =>
        {
            DrawArrow(svg, message, [new Step('M', new Point(from, line)), new Step('L', new Point(to, line))]);
            svg.Text(message.Text, text, "middle");
            DrawNumber(svg, message, new Point(from, line));
        });
        Widen(Math.Min(from, to), Math.Max(from, to));
        y = line + Between;
    }

    private void DrawLoop(Message message)
    {
        var from = Edge(message.From.Index, onRight: true);
        var top = y + 4;
        var low = top + Math.Max(24, message.Text.Height);
        var far = from + SequenceColumns.LoopReach;
        var text = new Point(far + 6, ((top + low) / 2) - (message.Text.Height / 2));
        front.Add(svg =>
        {
            DrawArrow(svg, message,
            [
                new Step('M', new Point(from, top)),
                new Step('C', new Point(far - 4, (top + low) / 2), new Point(far - 4, top), new Point(far - 4, top)),
                new Step('C', new Point(from + 13, low), new Point(far - 4, low), new Point(far - 4, low)),
                new Step('L', new Point(from, low)),
            ]);
            svg.Text(message.Text, text, "start");
            DrawNumber(svg, message, new Point(from, top));
        });
        texts.Add(new Box(text.X, text.Y, message.Text.Width, message.Text.Height));
        Widen(from, far + 10 + message.Text.Width);
        y = low + Between;
    }

    private static void DrawArrow(Svg svg, Message message, List<Step> way) =>
        Arrows.Draw(svg, way, message.IsDashed ? EdgeLine.Dotted : EdgeLine.Solid,
            message.IsBothWays ? message.Head : EdgeHead.None, message.Head);

    private static void DrawNumber(Svg svg, Message message, Point at)
    {
        if (message.Number is not { } number) return;
        var text = new TextBlock([number.ToString(CultureInfo.InvariantCulture)], 11, true);
        var half = Math.Max(9, (text.Width / 2) + 5);
        svg.Rectangle(Box.Around(at, 2 * half, 18), 9, "", "fill:#4f46e5");
        svg.Centred(text, at, "#fff");
    }

    private void DrawNote(SequenceNote note)
    {
        var (width, height) = (SequenceColumns.WidthOf(note), note.Text.Height + (2 * SequenceColumns.NotePad));
        var (first, last) = (centres[note.First.Index], centres[note.Last.Index]);
        var x = note.Side switch
        {
            NoteSide.Left => first - 12 - width,
            NoteSide.Right => first + 12,
            _ when first == last => first - (width / 2),
            _ => first - 15,
        };
        if (note.Side == NoteSide.Over && first != last) width = Math.Max(width, last - first + 30);
        var box = new Box(x, y, width, height);
        texts.Add(box);
        notes.Add(box);
        front.Add(svg =>
        {
            svg.Open("note");
            svg.Rectangle(box, 2);
            svg.Close();
            svg.Centred(note.Text, box.Centre);
        });
        Widen(box.X, box.Right);
        y = box.Bottom + Between;
    }

    private void DrawFrame(SequenceFrame frame)
    {
        var top = y;
        var around = (left, right);
        (left, right) = (double.PositiveInfinity, double.NegativeInfinity);
        var dividers = new List<(double Y, TextBlock Label)>();
        foreach (var (label, items) in frame.Sections)
        {
            dividers.Add((y, label));
            y += frame.Kind == "rect" ? FramePad : Math.Max(20, label.Height + 8) + FramePad;
            Draw(items);
        }
        if (double.IsInfinity(left))
            (left, right) = (centres.Length > 0 ? centres[0] - 60 : 0, centres.Length > 0 ? centres[^1] + 60 : 120);
        var tab = TextBlock.Of(frame.Kind, TextBlock.Small, true);
        var least = tab.Width + 50 + frame.Sections.Max(section => section.Label.Width);
        var first = centres.Where(x => x >= left - BarWidth).DefaultIfEmpty(left).Min();
        // the label does not overlap the line
        var from = frame.Kind == "rect" ? left - FramePad - 6 : Math.Min(left - FramePad - 6, first - tab.Width - 28);
        var to = Math.Max(right + FramePad + 6, from + least);
        foreach (var (at, label) in dividers.Where(divider => !divider.Label.IsEmpty))
            texts.Add(new Box(from + tab.Width + 42, at + 3, label.Width + 10, label.Height));
        var box = new Box(from, top, to - from, y - top - 4);
        if (frame.Kind == "rect")
            grounds.Insert(0,
                svg => svg.Rectangle(box, 3, frame.Fill is null ? "group" : "",
                    frame.Fill is { } fill ? $"fill:{fill};fill-opacity:.25" : ""));
        else grounds.Add(svg => DrawFrame(svg, box, tab, dividers));
        (left, right) = (Math.Min(around.left, from), Math.Max(around.right, to));
        y += Between - 4;
    }

    private static void DrawFrame(Svg svg, Box box, TextBlock tab, List<(double Y, TextBlock Label)> sections)
    {
        svg.Open("group");
        svg.Rectangle(box, 3);
        var width = tab.Width + 16;
        svg.Path($"M{Svg.Pair(new Point(box.X, box.Y + 21))} h{Svg.Number(width - 7)} l7,-7 V{Svg.Number(box.Y)}", "inner");
        foreach (var (y, _) in sections.Skip(1)) svg.Line(new Point(box.X, y), new Point(box.Right, y), "faint dashed");
        svg.Close();
        svg.Text(tab, new Point(box.X + 7, box.Y + 2), "start");
        for (var i = 0; i < sections.Count; i++)
        {
            if (sections[i].Label.IsEmpty) continue;
            var label = sections[i].Label with
            {
                Lines =
                [
                    .. sections[i]
                        .Label.Lines.Select((line, at) =>
                            (at == 0 ? "[" : "") + line + (at == sections[i].Label.Lines.Count - 1 ? "]" : "")),
                ],
            };
            svg.Text(label, new Point(box.X + width + 26, sections[i].Y + 3), "start", "soft");
        }
    }
}
