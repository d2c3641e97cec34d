using System.Globalization;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>State of a training run.</summary>
public enum TrainingState
{
    /// <summary>The run is in progress.</summary>
    Running,

    /// <summary>The run reached its last step.</summary>
    Finished,

    /// <summary>The run ended before its last step: its consumer stopped, or it failed.</summary>
    Stopped,
}

/// <summary>Progress of a run, as shown by a live display.</summary>
/// <param name="History">The steps so far.</param>
/// <param name="State">State of the run.</param>
public sealed record TrainingProgress(TrainingHistory History, TrainingState State)
{
    /// <summary>Peak rate of the machine in FLOPs per second; null if not measured.</summary>
    public double? OperationsPerSecond { get; init; }

    /// <summary>Peak resident memory of the process so far in bytes; null if not measured.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>
    /// Share of the machine's peak rate that the run reaches, 0 to 1; null if either rate is unknown.
    /// </summary>
    public double? Utilization => Last is { OperationsPerSecond: > 0 } last && OperationsPerSecond is { } most
        ? last.OperationsPerSecond / most : null;

    /// <summary>Fraction of the steps that are done, 0 to 1.</summary>
    public double Share => Last is { Steps: > 0 } last ? Math.Clamp((double)last.Step / last.Steps, 0, 1) : 0;

    /// <summary>Report of the last step; null before the first.</summary>
    public StepReport? Last => History.Reports.Count == 0 ? null : History.Reports[^1];

    /// <summary>The last loss on held-out data; null before the first.</summary>
    public double? HeldOut => Evaluation?.HeldOutLoss;

    /// <summary>The metrics of the last evaluation; empty before the first.</summary>
    public IReadOnlyList<MetricValue> Metrics => Evaluation?.Metrics ?? [];

    /// <summary>The last step that evaluated.</summary>
    private StepReport? Evaluation
    {
        get
        {
            for (var step = History.Reports.Count - 1; step >= 0; step--)
                if (History.Reports[step].HeldOutLoss is not null) return History.Reports[step];
            return null;
        }
    }

    /// <summary>Returns one line for a terminal.</summary>
    public override string ToString()
    {
        const int Cells = 20;
        if (Last is not { } last) return Visible.OneLine($"{new string('╌', Cells)} {History.Name}: no step yet");
        var done = (int)Math.Round(Share * Cells);
        var held = string.Concat(Evaluated().Select(figure => $" · {figure}"));
        var bar = new string('━', done) + new string('╌', Cells - done);
        return $"{bar} {Math.Floor(Share * 100)} % · step {Numbers.Count(last.Step)}/{Numbers.Count(last.Steps)}"
            + $" · loss {Numbers.Short(last.Loss)}{held} · {Pace(last)} · {string.Join(" · ", [.. Machine(), Remaining(last)])}";
    }

    /// <summary>Returns the held-out loss and the metrics of the last evaluation.</summary>
    internal IEnumerable<string> Evaluated()
    {
        if (HeldOut is { } loss) yield return $"held-out {Numbers.Short(loss)}";
        foreach (var metric in Metrics) yield return $"{Visible.OneLine(metric.Name)} {Numbers.Short(metric.Value)}";
    }

    /// <summary>Formats the tokens per second.</summary>
    internal static string Pace(StepReport last) => $"{Numbers.Count((long)Math.Clamp(last.TokensPerSecond, 0, 1e15))} tokens/s";

    /// <summary>Returns texts on the machine's utilization and its memory.</summary>
    internal IEnumerable<string> Machine()
    {
        if (Utilization is { } share)
            yield return string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} % of the matrix-product rate");
        if (PeakMemory is { } bytes) yield return $"peak {Numbers.Bytes(bytes)}";
    }

    /// <summary>Returns the remaining time, or the total time of a run that ended.</summary>
    internal string Remaining(StepReport last) => State switch
    {
        TrainingState.Running => $"{Numbers.Clock(last.Left)} left",
        TrainingState.Finished => $"done in {Numbers.Clock(last.Elapsed)}",
        _ => $"stopped after {Numbers.Clock(last.Elapsed)}",
    };
}
