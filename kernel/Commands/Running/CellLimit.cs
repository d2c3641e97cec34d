using System.Globalization;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Interrupts a cell that takes longer than it may, and says so in the place of the interrupt's own error.</summary>
internal sealed class CellLimit : IDisposable
{
    /// <summary>The name of the error.</summary>
    public const string ErrorName = "Timeout";

    private readonly TimeSpan? limit;
    private readonly CancellationToken asked;
    private readonly CancellationTokenSource source;
    private bool told;

    /// <param name="limit">The longest that the cell may take; null for as long as it likes.</param>
    /// <param name="asked">Interrupts the cell for another reason.</param>
    public CellLimit(TimeSpan? limit, CancellationToken asked)
    {
        (this.limit, this.asked) = (limit, asked);
        source = CancellationTokenSource.CreateLinkedTokenSource(asked);
        if (limit is { } time) source.CancelAfter(time);
    }

    /// <summary>Interrupts the cell.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>True when the limit, not a person, interrupted the cell.</summary>
    public bool IsOver => source.IsCancellationRequested && !asked.IsCancellationRequested;

    private string Message =>
        string.Create(CultureInfo.InvariantCulture,
            $"The cell ran longer than its limit of {limit!.Value.TotalSeconds:0.###} s.");

    public void Dispose() => source.Dispose();

    /// <summary>The output as it is recorded.</summary>
    public Output Told(Output output) =>
        output is ErrorOutput { Name: "KeyboardInterrupt" } interrupt && IsOver ? Error(interrupt.Traceback) : output;

    /// <summary>How the cell ended: over the limit is failed, also where it went on and came to an end.</summary>
    /// <param name="outcome">How the session saw it.</param>
    /// <param name="missing">The error that the cell's outputs lack; null where there is one.</param>
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
