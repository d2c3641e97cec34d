namespace ResearchKit.Tests;

/// <summary>Makes it likely that what is freed too early is freed under a running call.</summary>
internal static class GarbageCollection
{
    /// <summary>Collects garbage and finalizes it without a pause while the work is done.</summary>
    public static async Task Meanwhile(Action work)
    {
        using var end = new CancellationTokenSource();
        var collector = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        try
        {
            work();
        }
        finally
        {
            await end.CancelAsync();
            await collector;
        }
    }
}
