namespace ResearchKit.Training;

/// <summary>The runs that this process began. Those that go on end with it, unless it is killed.</summary>
internal static class OpenRuns
{
    private static readonly List<RunRecorder> Runs = [];

    static OpenRuns()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
            End(Environment.ExitCode == 0 ? RunStatusNames.Succeeded : RunStatusNames.Failed, null);
        AppDomain.CurrentDomain.UnhandledException += (_, happened) =>
            End(RunStatusNames.Failed, happened.ExceptionObject as Exception);
    }

    /// <summary>Adds a run that begins.</summary>
    public static void Add(RunRecorder run)
    {
        lock (Runs) Runs.Add(run);
    }

    private static void End(string status, Exception? error)
    {
        lock (Runs)
        {
            foreach (var run in Runs)
            {
                try
                {
                    run.EndWithProcess(status, error);
                }
                catch (Exception unwritten) when (unwritten is IOException or UnauthorizedAccessException)
                {
                    // the folder cannot be written any more: the run will be listed as killed
                }
            }
        }
    }
}
