using Microsoft.CodeAnalysis.Text;

namespace ResearchKit.Kernel.Languages.CSharp;

/// <summary>
/// Edits of a cell's code that keep its line numbers: insertions without line breaks, and replacements of equal length.
/// </summary>
internal sealed class CodeEdits(string code)
{
    private readonly char[] text = code.ToCharArray();
    private readonly List<(int Position, string Text, bool IsEnd)> inserted = [];

    /// <summary>Inserts text in front of a position, after what was inserted there before.</summary>
    public void Insert(int position, string what) => inserted.Add((position, what, false));

    /// <summary>Inserts text at the end of a node, in front of what the nodes around it insert there.</summary>
    public void InsertAtEnd(int position, string what) => inserted.Add((position, what, true));

    /// <summary>Replaces a span by a text that is not longer; the rest becomes spaces.</summary>
    public void Replace(TextSpan span, string what)
    {
        Blank(span);
        what.CopyTo(0, text, span.Start, what.Length);
    }

    /// <summary>Replaces a span by spaces, except for line breaks.</summary>
    public void Blank(TextSpan span)
    {
        for (var i = span.Start; i < span.End; i++)
            if (text[i] is not ('\n' or '\r')) text[i] = ' ';
    }

    /// <summary>Replaces everything outside of the spans by spaces.</summary>
    public void BlankAllBut(IEnumerable<TextSpan> kept)
    {
        var start = 0;
        foreach (var span in kept.OrderBy(span => span.Start))
        {
            if (span.Start > start) Blank(TextSpan.FromBounds(start, span.Start));
            start = Math.Max(start, span.End);
        }
        Blank(TextSpan.FromBounds(start, code.Length));
    }

    /// <summary>Returns the edited code, and a function that maps a position in it to one in the code before.</summary>
    public (string Code, Func<int, int> Original) Apply()
    {
        var ordered = inserted.Index().OrderBy(entry => entry.Item.Position).ThenBy(entry => entry.Item.IsEnd ? 0 : 1)
            .ThenBy(entry => entry.Item.IsEnd ? -entry.Index : entry.Index).Select(entry => entry.Item).ToList();
        var (result, start) = (new System.Text.StringBuilder(), 0);
        foreach (var (position, what, _) in ordered)
        {
            result.Append(text, start, position - start).Append(what);
            start = position;
        }
        result.Append(text, start, text.Length - start);
        return (result.ToString(), position => Before(position, ordered));
    }

    private static int Before(int position, List<(int Position, string Text, bool IsEnd)> inserted)
    {
        var shift = 0;
        foreach (var change in inserted)
        {
            if (change.Position + shift >= position) break;
            shift += Math.Min(change.Text.Length, position - shift - change.Position);
        }
        return position - shift;
    }
}
