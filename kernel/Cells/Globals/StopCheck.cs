using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>The checks that are inserted into loops and functions of cells; for internal use.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class StopCheck
{
    private const int MostAsync = 1000;
    private static volatile int asking;
    [ThreadStatic]
    private static Stack<nint>? asyncFrames;   // where they are on the stack

    /// <summary>Whether the cell of this thread was interrupted.</summary>
    public static bool Asked => asking != 0 && CellScope.Current is { Cancellation.IsCancellationRequested: true };

    /// <summary>Throws if the cell was interrupted.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    public static void ThrowIfAsked()
    {
        if (asking != 0 && Asked) throw Stopped();
    }

    /// <summary>Throws if the cell was interrupted, or if recursion has nearly used up the stack.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    /// <exception cref="InsufficientExecutionStackException">
    /// The stack is nearly used up; a stack overflow would kill the process.
    /// </exception>
    public static void Enter()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        ThrowIfAsked();
    }

    /// <summary>
    /// As <see cref="Enter"/>, for async functions, of which fewer may call each other: the exception passes through every call
    /// and is thrown anew there, which takes time with the square of their number.
    /// </summary>
    /// <inheritdoc cref="Enter"/>
    public static unsafe void EnterAsync()
    {
        byte here = 0;
        var address = (nint)(&here);
        var frames = asyncFrames ??= new Stack<nint>();
        while (frames.TryPeek(out var last) && last <= address) frames.Pop();   // it has returned: the stack grows down
        if (frames.Count >= MostAsync) throw new InsufficientExecutionStackException();
        frames.Push(address);
        Enter();
    }

    /// <summary>
    /// As <see cref="Enter"/>, for expression-bodied functions: throws if the stack is nearly used up, and returns
    /// whether the cell was interrupted.
    /// </summary>
    /// <inheritdoc cref="Enter"/>
    public static bool AskedOnEntry
    {
        get
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            return Asked;
        }
    }

    /// <summary>Creates the exception that ends an interrupted cell.</summary>
    public static OperationCanceledException Stopped() =>
        new("The cell was interrupted.", CellScope.Current?.Cancellation ?? default);

    /// <summary>Called when a cell is interrupted: checks then test whether it is their own cell.</summary>
    internal static void Begin() => Interlocked.Increment(ref asking);

    /// <summary>Called when an interrupted cell has ended.</summary>
    internal static void End() => Interlocked.Decrement(ref asking);
}
