using System.Diagnostics;
using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Progress of one run for logs: one line per event.</summary>
internal sealed class PlainProgress(TextWriter output) : IRunProgress
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private readonly Lock gate = new();
    private long lastStatus = Stopwatch.GetTimestamp();
    private int cells;

    public void Begin(string notebook, int cells)
    {
        this.cells = cells;
        Say($"{notebook}: {cells} code cells");
    }

    public void CellStarted(int number, string firstLine)
    {
        lastStatus = Stopwatch.GetTimestamp();
        Say($"cell {number} of {cells}: {firstLine}");
    }

    public void Status(string line)
    {
        lock (gate)
        {
            if (Stopwatch.GetElapsedTime(lastStatus) < Quiet) return;
            lastStatus = Stopwatch.GetTimestamp();
        }
        Say($"  {line}");
    }

    public void CellEnded(int number, double seconds, string status) =>
        Say(string.Create(CultureInfo.InvariantCulture, $"cell {number} of {cells}: {status}, {seconds:0.0} s"));

    public void Warning(string line) => Say($"warning: {line}");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Say(string line)
    {
        lock (gate)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }
}
