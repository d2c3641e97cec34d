namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Shows the progress of one run.</summary>
internal interface IRunProgress : IAsyncDisposable
{
    /// <summary>Called when the run starts.</summary>
    void Begin(string notebook, int cells);

    /// <summary>Called when a cell starts.</summary>
    void CellStarted(int number, string firstLine);

    /// <summary>Called when the running cell updates a display, with the display's text.</summary>
    void Status(string line);

    /// <summary>Called when a cell has ended.</summary>
    void CellEnded(int number, double seconds, string status);

    /// <summary>Called when something went wrong that does not end the run.</summary>
    void Warning(string line);
}
