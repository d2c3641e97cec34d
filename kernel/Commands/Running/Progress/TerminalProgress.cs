using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Progress that is redrawn in place on a terminal: a progress bar with the current cell, and the cell's latest
/// status line.
/// </summary>
internal sealed class TerminalProgress : IRunProgress
{
    private const int BarWidth = 28;
    private readonly IAnsiConsole console = AnsiConsole.Console;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource ended = new();
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly List<string> warnings = [];
    private Task drawing = Task.CompletedTask;
    private (int Cells, int Done, int Running, string FirstLine, string Status) shown = (0, 0, 0, "", "");

    /// <summary>True when <paramref name="output"/> is an interactive terminal that supports redrawing.</summary>
    public static bool IsPossible(TextWriter output) =>
        output == Console.Out && !Console.IsOutputRedirected
        && AnsiConsole.Profile.Capabilities is { Ansi: true, Interactive: true };

    /// <summary>Takes it as possible in a process whose stderr is read by the one that it was found possible in.</summary>
    public static void Expect() => AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.Yes,
        Interactive = InteractionSupport.Yes,
        Out = new AnsiConsoleOutput(Console.Out),
    });

    public void Begin(string notebook, int cells)
    {
        console.WriteLine(notebook);
        Change(() => shown = (cells, 0, 0, "", ""));
        drawing = console.Live(Picture()).StartAsync(DrawAsync);
    }

    public void CellStarted(int number, string firstLine) =>
        Change(() => shown = shown with { Running = number, FirstLine = firstLine, Status = "" });

    public void Status(string line) => Change(() => shown.Status = line);

    public void CellEnded(int number, double seconds, string status) => Change(() => shown.Done = number);

    /// <summary>Kept until the display ends, which it would disturb; until then it is a status line.</summary>
    public void Warning(string line) => Change(() =>
    {
        warnings.Add($"warning: {line}");
        shown.Status = warnings[^1];
    });

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync().ConfigureAwait(false);
        await drawing.ConfigureAwait(false);
        foreach (var warning in warnings) console.WriteLine(warning);
        ended.Dispose();
    }

    private void Change(Action change)
    {
        lock (gate) change();
    }

    private async Task DrawAsync(LiveDisplayContext live)
    {
        while (!ended.IsCancellationRequested)
        {
            live.UpdateTarget(Picture());
            await Task.Delay(150, ended.Token).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
        }
        live.UpdateTarget(Picture());
    }

    private Rows Picture()
    {
        lock (gate)
        {
            var done = shown.Cells == 0 ? BarWidth : BarWidth * shown.Done / shown.Cells;
            var elapsed = Stopwatch.GetElapsedTime(start);
            var text = string.Create(CultureInfo.InvariantCulture,
                $"  cell {Math.Max(shown.Running, shown.Done)} of {shown.Cells} · "
                    + $"{(int)elapsed.TotalMinutes}:{elapsed.Seconds:00} · {shown.FirstLine}");
            var bar = new Paragraph();
            bar.Append(new string('━', done), new Style(Color.Blue));
            bar.Append(new string('─', BarWidth - done), new Style(Color.Grey));
            bar.Append(Cut(text, BarWidth));
            return new Rows((IRenderable)bar, new Text(Cut(shown.Status.Length == 0 ? " " : shown.Status, 0)));
        }
    }

    /// <summary>
    /// Truncates a line to the terminal's width, less the columns already used. Lines are plain text and not
    /// markup, so that the output of cells cannot change the display.
    /// </summary>
    private string Cut(string text, int used)
    {
        var room = Math.Max(8, console.Profile.Width - used - 1);
        return text.Length <= room ? text : $"{text[..(room - 1)]}…";
    }
}
