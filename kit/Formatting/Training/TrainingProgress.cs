using System.Globalization;
using ResearchKit.Training;

namespace ResearchKit.Formatting;

/// <summary>How a run ended, or that it has not.</summary>
public enum TrainingState
{
    /// <summary>It goes on.</summary>
    Running,

    /// <summary>It came to its last step.</summary>
    Finished,

    /// <summary>It ended before its last step: its reader stopped, or it failed.</summary>
    Stopped,
}

/// <summary>Where a run is: what a live display shows.</summary>
/// <param name="History">The steps so far.</param>
/// <param name="State">Whether it goes on.</param>
public sealed record TrainingProgress(TrainingHistory History, TrainingState State)
{
    /// <summary>Operations a second that the machine could do; null where that was not asked.</summary>
    public double? OperationsPerSecond { get; init; }

    /// <summary>Most resident memory that the process has held so far, in bytes; null where that was not asked.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>
    /// Share of the machine's operations a second that the run does, 0 to 1; null where one of the two is not known.
    /// </summary>
    public double? Utilization => Last is { OperationsPerSecond: > 0 } last && OperationsPerSecond is { } most
        ? last.OperationsPerSecond / most : null;

    /// <summary>Share of the steps that are done, 0 to 1.</summary>
    public double Share => Last is { Steps: > 0 } last ? Math.Clamp((double)last.Step / last.Steps, 0, 1) : 0;

    /// <summary>The last step; null before the first.</summary>
    public StepReport? Last => History.Reports.Count == 0 ? null : History.Reports[^1];

    /// <summary>The last loss on held-out data; null before the first.</summary>
    public double? HeldOut
    {
        get
        {
            for (var step = History.Reports.Count - 1; step >= 0; step--)
                if (History.Reports[step].HeldOutLoss is { } loss) return loss;
            return null;
        }
    }

    /// <summary>One line for a terminal.</summary>
    public override string ToString()
    {
        const int Cells = 20;
        if (Last is not { } last) return Visible.OneLine($"{new string('╌', Cells)} {History.Name}: no step yet");
        var done = (int)Math.Round(Share * Cells);
        var held = HeldOut is { } loss ? $" · held-out {Numbers.Short(loss)}" : "";
        var bar = new string('━', done) + new string('╌', Cells - done);
        return $"{bar} {Math.Floor(Share * 100)} % · step {Numbers.Count(last.Step)}/{Numbers.Count(last.Steps)}"
            + $" · loss {Numbers.Short(last.Loss)}{held} · {Pace(last)} · {string.Join(" · ", [.. Machine(), Remaining(last)])}";
    }

    /// <summary>Tokens per second.</summary>
    internal static string Pace(StepReport last) => $"{Numbers.Count((long)Math.Clamp(last.TokensPerSecond, 0, 1e15))} tokens/s";

    /// <summary>How well the machine is used, and how much of its memory.</summary>
    internal IEnumerable<string> Machine()
    {
        if (Utilization is { } share)
            yield return string.Create(CultureInfo.InvariantCulture, $"{100 * share:0} % of the matrix-product rate");
        if (PeakMemory is { } bytes) yield return $"peak {Numbers.Bytes(bytes)}";
    }

    /// <summary>Time left; of a run that ended, the time it took.</summary>
    internal string Remaining(StepReport last) => State switch
    {
        TrainingState.Running => $"{Numbers.Clock(last.Left)} left",
        TrainingState.Finished => $"done in {Numbers.Clock(last.Elapsed)}",
        _ => $"stopped after {Numbers.Clock(last.Elapsed)}",
    };
}
