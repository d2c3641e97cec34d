using System.Globalization;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// The time limit of a cell: interrupts the cell when it is exceeded, and reports a timeout instead of the
/// interrupt's own error.
/// </summary>
internal sealed class CellLimit : IDisposable
{
    /// <summary>The error name of an exceeded limit.</summary>
    public const string ErrorName = "Timeout";

    private readonly TimeSpan? limit;
    private readonly CancellationToken asked;
    private readonly CancellationTokenSource source;
    private bool told;

    /// <param name="limit">The time limit; null for none.</param>
    /// <param name="asked">Requests an interrupt for another reason, such as Ctrl+C.</param>
    public CellLimit(TimeSpan? limit, CancellationToken asked)
    {
        (this.limit, this.asked) = (limit, asked);
        source = CancellationTokenSource.CreateLinkedTokenSource(asked);
        if (limit is { } time) source.CancelAfter(time);
    }

    /// <summary>Cancelled when the cell must stop, for either reason.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>True when the limit, not the user, interrupted the cell.</summary>
    public bool IsOver => source.IsCancellationRequested && !asked.IsCancellationRequested;

    private string Message =>
        string.Create(CultureInfo.InvariantCulture,
            $"The cell ran longer than its limit of {limit!.Value.TotalSeconds:0.###} s.");

    public void Dispose() => source.Dispose();

    /// <summary>
    /// Returns the output to record: for the interrupt's own error a timeout error, else the output itself.
    /// </summary>
    public Output Told(Output output) =>
        output is ErrorOutput { Name: "KeyboardInterrupt" } interrupt && IsOver ? Error(interrupt.Traceback) : output;

    /// <summary>
    /// Returns how the cell ended: over the limit it has failed, even if it ignored the interrupt and ran to its
    /// end.
    /// </summary>
    /// <param name="outcome">The outcome that the session reported.</param>
    /// <param name="missing">The timeout error if it is not among the cell's outputs yet, else null.</param>
    public CellOutcome Outcome(CellOutcome outcome, out ErrorOutput? missing)
    {
        missing = null;
        if (!IsOver) return outcome;
        if (!told) missing = Error([]);
        return new CellOutcome(CellStatus.Failed, Error(outcome.Error?.Traceback ?? []));
    }

    private ErrorOutput Error(IReadOnlyList<string> after)
    {
        told = true;
        return new ErrorOutput(ErrorName, Message, [$"{ErrorName}: {Message}", .. after]);
    }
}
