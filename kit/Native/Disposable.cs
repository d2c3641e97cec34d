namespace ResearchKit.Native;

/// <summary>Ends something when it is disposed.</summary>
internal static class Disposable
{
    /// <param name="end">Called at each <c>Dispose</c>.</param>
    public static IDisposable Of(Action end) => new Ending(end);

    private sealed class Ending(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
