using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>What the compiler puts into the loops and functions of cells; not to be called by hand.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class StopCheck
{
    private static volatile int asking;

    /// <summary>Whether the cell that this thread works for was interrupted.</summary>
    public static bool Asked => asking != 0 && CellScope.Current is { Cancellation.IsCancellationRequested: true };

    /// <summary>Ends the cell if it was interrupted.</summary>
    /// <exception cref="OperationCanceledException">It was.</exception>
    public static void ThrowIfAsked()
    {
        if (asking != 0 && Asked) throw Stopped();
    }

    /// <summary>
    /// Ends the cell if it was interrupted, or if its functions have called each other so deeply that the stack is used up.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    /// <exception cref="InsufficientExecutionStackException">
    /// The stack is used up; past this point .NET would end the process.
    /// </exception>
    public static void Enter()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        ThrowIfAsked();
    }

    /// <summary>The same for functions that are one expression.</summary>
    /// <inheritdoc cref="Enter"/>
    public static bool AskedOnEntry
    {
        get
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            return Asked;
        }
    }

    /// <summary>What ends an interrupted cell.</summary>
    public static OperationCanceledException Stopped() =>
        new("The cell was interrupted.", CellScope.Current?.Cancellation ?? default);

    /// <summary>From now on checks look whether it is their cell that should stop.</summary>
    internal static void Begin() => Interlocked.Increment(ref asking);

    /// <summary>An interrupted cell has ended.</summary>
    internal static void End() => Interlocked.Decrement(ref asking);
}
