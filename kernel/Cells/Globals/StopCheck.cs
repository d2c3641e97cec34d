using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>The checks that are inserted into loops and functions of cells; for internal use.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class StopCheck
{
    private const int MostAsync = 1000;
    private const int Reserve = 256 << 10;   // of a stack, for what a function calls; .NET itself asks for less
    private static int asking;

    // Where functions of the thread that runs cells may stand on its stack; nowhere while a cell is asked to stop. One
    // comparison with them is the whole check of most calls.
    private static nint deepest;
    private static nuint room, wholeRoom;
    private static readonly Lock Changing = new();
    [ThreadStatic]
    private static Stack<nint>? asyncFrames;   // where they are on the stack

    /// <summary>Whether the cell of this thread was interrupted.</summary>
    public static bool Asked =>
        Volatile.Read(ref asking) != 0 && CellScope.Current is { Cancellation.IsCancellationRequested: true };

    /// <summary>Throws if the cell was interrupted.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    public static void ThrowIfAsked()
    {
        if (Volatile.Read(ref asking) != 0 && Asked) throw Stopped();
    }

    /// <summary>Throws if the cell was interrupted, or if recursion has nearly used up the stack.</summary>
    /// <exception cref="OperationCanceledException">The cell was interrupted.</exception>
    /// <exception cref="InsufficientExecutionStackException">
    /// The stack is nearly used up; a stack overflow would kill the process.
    /// </exception>
    /// <remarks>
    /// The local variable whose address is taken also keeps the compiler from turning a recursion into a loop, which would
    /// not end.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining), SkipLocalsInit]
    public static unsafe void Enter()
    {
        byte here;
        if ((nuint)((nint)(&here) - deepest) >= room) Check();
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
    public static unsafe bool AskedOnEntry
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining), SkipLocalsInit]
        get
        {
            byte here;
            if ((nuint)((nint)(&here) - deepest) < room) return false;
            RuntimeHelpers.EnsureSufficientExecutionStack();
            return Asked;
        }
    }

    /// <summary>Creates the exception that ends an interrupted cell.</summary>
    public static OperationCanceledException Stopped() =>
        new("The cell was interrupted.", CellScope.Current?.Cancellation ?? default);

    /// <summary>Called at the start of a thread that runs cells: checks are cheap on the last such thread.</summary>
    /// <param name="stack">Size of its stack, in bytes.</param>
    internal static unsafe void Watch(int stack)
    {
        byte here = 0;
        lock (Changing)
        {
            deepest = (nint)(&here) - stack + Reserve;
            wholeRoom = (nuint)(stack - Reserve);
            Adjust();
        }
    }

    /// <summary>Called when a cell is interrupted: checks then test whether it is their own cell.</summary>
    internal static void Begin() => Change(1);

    /// <summary>Called when an interrupted cell has ended.</summary>
    internal static void End() => Change(-1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Check()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        ThrowIfAsked();
    }

    private static void Change(int by)
    {
        lock (Changing)
        {
            asking += by;
            Adjust();
        }
    }

    private static void Adjust() => Volatile.Write(ref room, asking == 0 ? wholeRoom : 0);
}
