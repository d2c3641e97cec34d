using ResearchKit.Results;

namespace ResearchKit.Formatting;

/// <summary>Draws the evidence of a result below its figure; red where its law is broken.</summary>
internal static class EvidenceCaption
{
    /// <summary>The red of broken laws, readable on light and dark pages.</summary>
    private const string Red = "#d6455d";

    /// <summary>Draws the evidence; nothing where there is none.</summary>
    public static Html Draw(Evidence? evidence) => evidence switch
    {
        null => Html.Empty,
        { Holds: true } => evidence.ToString() is { Length: > 0 } text
            ? Html.Of($"<div class=\"rk-cap\">{Visible.OneLine(text)}</div>")
            : Html.Empty,
        _ => Html.Of($"""
            <div class="rk-cap"><span class="rk-flag rk-bad" role="alert">the law is broken</span> <span style="color:{Red}">{Visible.OneLine(evidence.ToString())}</span></div>
            """),
    };

    /// <summary>Adds the evidence to a drawing, in lines from a point downward, and returns their height.</summary>
    public static double Add(Drawing drawing, Evidence? evidence, double x, double y, double width)
    {
        if (evidence?.ToString() is not { Length: > 0 } text) return 0;
        var lines = Lines(Visible.OneLine(evidence.Holds ? text : $"The law is broken: {text}"), width).ToList();
        for (var line = 0; line < lines.Count; line++)
            drawing.Shapes.Add(new Words(x, y + 10 + (line * 15), lines[line]) { Color = evidence.Holds ? Drawing.Ink : Red });
        return lines.Count * 15;
    }

    /// <summary>Breaks a text between words into lines of at most a width in pixels, unless a word is wider.</summary>
    public static IEnumerable<string> Lines(string text, double width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && Drawing.WidthOf($"{line} {word}") > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        if (line.Length > 0) yield return line;
    }
}
