namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Shows the progress of a batch of runs.</summary>
internal interface IBatchProgress : IAsyncDisposable
{
    /// <summary>Called before the first run starts.</summary>
    void Begin(int notebooks);

    /// <summary>Called when a run starts.</summary>
    void Started(string notebook);

    /// <summary>Called with each progress line of a run.</summary>
    void Said(string notebook, string line);

    /// <summary>Called when a run has ended.</summary>
    void Ended(RunReport report);
}
