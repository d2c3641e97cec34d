using System.Diagnostics;
using System.Text;

namespace ResearchKit.Formatting;

/// <summary>Shows a text while it is generated.</summary>
public static class LiveText
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Shows a text as its parts come, in a display that is updated a few times a second:
    /// <c>generation.Stream("Once upon a time").Watch()</c>. Without a notebook the parts are written to the console.
    /// </summary>
    /// <param name="parts">The parts; enumerated once.</param>
    /// <param name="cancellation">Cancels between two parts; what was shown stays.</param>
    /// <returns>The whole text.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static string Watch(this IEnumerable<string> parts, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var text = new StringBuilder();
        var replace = LiveDisplay.Host?.Invoke(View(""));
        var sinceShown = Stopwatch.StartNew();
        try
        {
            foreach (var part in parts)
            {
                cancellation.ThrowIfCancellationRequested();
                text.Append(part);
                if (replace is null) Console.Write(part);
                else if (sinceShown.Elapsed >= Interval)
                {
                    replace(View(text.ToString()));
                    sinceShown.Restart();
                }
            }
        }
        finally
        {
            if (replace is null) Console.WriteLine();
            else replace(View(text.ToString()));
        }
        return text.ToString();
    }

    private static Html View(string text) =>
        Theme.Output(Html.Of($"<div style=\"white-space:pre-wrap;overflow-wrap:anywhere\">{Visible.Lines(text)}</div>"));
}
