using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Batch progress for logs: one line per event, prefixed with the notebook.</summary>
internal sealed class PlainBatchProgress(TextWriter output) : IBatchProgress
{
    private readonly Lock gate = new();
    private (int Notebooks, int Ended) count;

    public void Begin(int notebooks)
    {
        count.Notebooks = notebooks;
        Say($"{notebooks} notebooks");
    }

    public void Started(string notebook) => Say($"{notebook}: started");

    public void Said(string notebook, string line) => Say($"{notebook}: {line}");

    public void Ended(RunReport report)
    {
        lock (gate) count.Ended++;
        Say(string.Create(CultureInfo.InvariantCulture,
            $"{report.Name}: {SummaryRow.Word(report.Status)}, {report.Seconds:0.0} s ({count.Ended} of {count.Notebooks} "
                + $"notebooks)"));
    }

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
