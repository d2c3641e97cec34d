namespace ResearchKit.Training;

/// <summary>The process that ran an experiment: code, versions, machine, native kernels.</summary>
public sealed record RunProcess
{
    /// <summary>A random id of the process; the runs of one process share it.</summary>
    public required string Id { get; init; }

    /// <summary>Its number on its machine; null in records of earlier versions.</summary>
    public int? Pid { get; init; }

    /// <summary>Name of its machine in the network.</summary>
    public string? Host { get; init; }

    /// <summary>When it began, in UTC; tells it from a later process with the same number.</summary>
    public DateTime? Began { get; init; }

    /// <summary>The commit of the repository it ran in, with "+changes" if files differed from it. Null outside one.</summary>
    public string? Commit { get; init; }

    /// <summary>Versions of the kit and .NET; of TorchSharp and libtorch once the process has used them.</summary>
    public IReadOnlyDictionary<string, string> Packages { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine: system, processor, cores, memory; threads and device once the process has used libtorch.</summary>
    public IReadOnlyDictionary<string, string> Machine { get; init; } = new Dictionary<string, string>();

    /// <summary>SHA-256 of each data file that its runs use, by <c>data set/file</c>.</summary>
    public IReadOnlyDictionary<string, string> Data { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// The native kernel chosen for each operation, and why (<see cref="Native.KernelTable"/>). The last bits of the
    /// results depend on it.
    /// </summary>
    public IReadOnlyDictionary<string, string> Kernels { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Whether it computes the same bits on every x64 processor with AVX2 (<see cref="Native.Compute.Portable"/>).
    /// </summary>
    public bool Portable { get; init; }

    /// <summary>Names of the workarounds in use (<see cref="Native.Workarounds"/>).</summary>
    public IReadOnlyList<string> Workarounds { get; init; } = [];

    /// <summary>Whether it is this process.</summary>
    internal bool IsThis => Id == RunEnvironment.ProcessId;

    /// <summary>
    /// Whether the process is known to have ended. A process of another machine is never known to have.
    /// </summary>
    public bool HasEnded => !IsThis && Pid is { } pid && Began is { } began && Host == Environment.MachineName
        && !RunEnvironment.IsAlive(pid, began);

    /// <summary>Describes this process, without using TorchSharp.</summary>
    /// <param name="folder">The folder whose commit counts: that of the notebook or program.</param>
    public static RunProcess Describe(string folder) => new()
    {
        Id = RunEnvironment.ProcessId,
        Pid = Environment.ProcessId,
        Host = Environment.MachineName,
        Began = RunEnvironment.ProcessStart,
        Commit = GitCommit.Of(folder),
        Packages = RunEnvironment.Packages(),
        Machine = RunEnvironment.Machine(),
    };

    /// <summary>This process as it is now, with what libtorch adds.</summary>
    internal RunProcess WithLibtorch() => this with
    {
        Packages = Union(Packages, RunEnvironment.TorchPackages()),
        Machine = Union(Machine, RunEnvironment.TorchMachine()),
        Kernels = Native.Compute.Kernels.Described(),
        Portable = Native.Compute.Portable,
        Workarounds = Native.Workarounds.Active,
    };

    /// <summary>Two descriptions of the same process; the later one counts where both say something.</summary>
    internal RunProcess Joined(RunProcess later) => this with
    {
        Commit = Commit ?? later.Commit,
        Packages = Union(Packages, later.Packages),
        Machine = Union(Machine, later.Machine),
        Data = Union(Data, later.Data),
        Kernels = later.Kernels.Count > 0 ? later.Kernels : Kernels,
        Portable = Portable || later.Portable,
        Workarounds = [.. Workarounds.Union(later.Workarounds)],
    };

    /// <summary>Both; where both have a name, the value of the second.</summary>
    private static Dictionary<string, string> Union(
        IReadOnlyDictionary<string, string> first, IReadOnlyDictionary<string, string> second)
    {
        var union = new Dictionary<string, string>(first);
        foreach (var (name, value) in second) union[name] = value;
        return union;
    }
}
