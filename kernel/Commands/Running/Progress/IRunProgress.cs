namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Tells a person how far the run is.</summary>
internal interface IRunProgress : IAsyncDisposable
{
    /// <summary>The run begins.</summary>
    void Begin(string notebook, int cells);

    /// <summary>A cell begins.</summary>
    void CellStarted(int number, string firstLine);

    /// <summary>The running cell says how it is getting on.</summary>
    void Status(string line);

    /// <summary>A cell ended.</summary>
    void CellEnded(int number, double seconds, string status);
}
