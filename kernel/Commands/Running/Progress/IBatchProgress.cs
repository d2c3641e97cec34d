namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Tells a person how far many runs are.</summary>
internal interface IBatchProgress : IAsyncDisposable
{
    /// <summary>The first run is about to start.</summary>
    void Begin(int notebooks);

    /// <summary>A run begins.</summary>
    void Started(string notebook);

    /// <summary>A run says how it is getting on.</summary>
    void Said(string notebook, string line);

    /// <summary>A run ended.</summary>
    void Ended(RunReport report);
}
