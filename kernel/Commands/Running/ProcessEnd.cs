using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>
/// Notices, while it lives, that code ends this process: by <c>Environment.Exit</c> or by an exception that nothing catches.
/// </summary>
/// <remarks>
/// A stack overflow, a crash of a native library or a kill gives the process no such chance; whoever started it notices those.
/// </remarks>
internal sealed class ProcessEnd : IDisposable
{
    private readonly Action<string, string> ended;
    private readonly CancellationToken wanted;

    /// <param name="ended">Told, once, what ended the process: in a few words, and at length.</param>
    /// <param name="wanted">Where it is cancelled, an end of the process is expected, and is not told.</param>
    public ProcessEnd(Action<string, string> ended, CancellationToken wanted)
    {
        (this.ended, this.wanted) = (ended, wanted);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
    }

    private void OnExit(object? sender, EventArgs arguments)
    {
        Dispose();
        if (wanted.IsCancellationRequested) return;
        ended(string.Create(CultureInfo.InvariantCulture, $"its code ended it with exit code {Environment.ExitCode}"), "");
        if (Environment.ExitCode == ExitCodes.Success) Environment.ExitCode = ExitCodes.CellFailed;
    }

    private void OnUnhandledException(object sender, UnhandledExceptionEventArgs arguments)
    {
        Dispose();
        var words = $"{arguments.ExceptionObject}";
        ended($"nothing caught {words.ReplaceLineEndings("\n").Split('\n')[0]}", words);
    }
}
