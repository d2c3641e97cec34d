namespace ResearchKit.Native;

/// <summary>Lets the threads of a team wait for each other, without giving up their cores.</summary>
/// <remarks>
/// A step of one token waits some 50 times, for a fraction of a microsecond each. Waking a thread would take longer. After a
/// while without the others, a waiting thread lets other threads of the machine run.
/// </remarks>
internal sealed class StepBarrier
{
    private const int Patience = 1 << 14;   // turns, about a tenth of a millisecond

    private int arrived, round;

    /// <summary>Returns when all threads have called it.</summary>
    /// <param name="threads">How many there are.</param>
    public void Wait(int threads)
    {
        if (threads == 1) return;
        var mine = Volatile.Read(ref round);
        if (Interlocked.Increment(ref arrived) == threads)
        {
            arrived = 0;
            Volatile.Write(ref round, mine + 1);
            return;
        }
        for (var turn = 0; Volatile.Read(ref round) == mine; turn++)
            if (turn < Patience) Thread.SpinWait(1);
            else Thread.Yield();
    }
}
