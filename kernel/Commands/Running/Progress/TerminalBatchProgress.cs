using System.Diagnostics;
using System.Globalization;
using ResearchKit.Kernel.Cells;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Batch progress that is redrawn in place on a terminal: a progress bar, and a line for each running notebook.
/// </summary>
internal sealed class TerminalBatchProgress : IBatchProgress
{
    private const int BarWidth = 28;
    private readonly IAnsiConsole console = AnsiConsole.Console;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource ended = new();
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly List<(string Notebook, string Line)> running = [];
    private Task drawing = Task.CompletedTask;
    private (int Notebooks, int Done, int Failed) count;

    public void Begin(int notebooks)
    {
        count = (notebooks, 0, 0);
        drawing = console.Live(Picture()).StartAsync(DrawAsync);
    }

    public void Started(string notebook)
    {
        lock (gate) running.Add((notebook, ""));
    }

    public void Said(string notebook, string line)
    {
        lock (gate)
        {
            var index = running.FindIndex(run => run.Notebook == notebook);
            if (index >= 0) running[index] = (notebook, line);
        }
    }

    public void Ended(RunReport report)
    {
        lock (gate)
        {
            running.RemoveAll(run => run.Notebook == report.Name);
            count = count with { Done = count.Done + 1, Failed = count.Failed + (report.Status == RunStatus.Succeeded ? 0 : 1) };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync().ConfigureAwait(false);
        await drawing.ConfigureAwait(false);
        ended.Dispose();
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
            var done = BarWidth * count.Done / Math.Max(1, count.Notebooks);
            var elapsed = Stopwatch.GetElapsedTime(start);
            var failed = count.Failed == 0 ? "" : $" · {count.Failed} failed";
            var bar = new Paragraph();
            bar.Append(new string('━', done), new Style(Color.Blue));
            bar.Append(new string('─', BarWidth - done), new Style(Color.Grey));
            bar.Append(string.Create(CultureInfo.InvariantCulture,
                $"  {count.Done} of {count.Notebooks} notebooks{failed} · {(int)elapsed.TotalMinutes}:{elapsed.Seconds:00}"));
            var lines = running.Select(run => (IRenderable)new Text(Cut($"{run.Notebook}: {TerminalText.OneLine(run.Line)}")));
            return new Rows(lines.Prepend(bar));
        }
    }

    /// <summary>
    /// Truncates a line to the terminal's width. Lines are plain text and not markup, so that the output of cells
    /// cannot change the display.
    /// </summary>
    private string Cut(string text)
    {
        var room = Math.Max(8, console.Profile.Width - 1);
        return text.Length <= room ? text : $"{text[..(room - 1)]}…";
    }
}
