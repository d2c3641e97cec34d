using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>
/// Data-parallel training over Open MPI, among the processes that <c>mpirun</c> or <c>srun</c> started
/// together.
/// </summary>
/// <remarks>
/// <para>
/// Start it with <c>mpirun -n 4 researchkit run study.ipynb</c> (or <c>srun --mpi=pmix -n 4 …</c>) and
/// <c>var workers = MpiWorkers.Start();</c> in the notebook. A process that neither of them started is alone,
/// and needs no MPI. Each process takes its share of every batch (<see cref="Data.BatchLoader"/> with
/// <c>share: workers.Rank, shares: workers.WorldSize</c>), and the gradients are summed. The weights equal
/// those of one process with the whole batch except for the order in which float32 numbers are added: they
/// differ by less than 1e-5 after four SGD steps of a small model.
/// </para>
/// <para>
/// Gradients are summed after the backward pass, without overlap: TorchSharp has no gradient-ready hook, and
/// Open MPI moves data only during calls into it, so that on CPUs an overlap would slow the computation by as
/// much as it saves. Small gradients are packed into buckets of 25 MB; large ones are sent without packing.
/// </para>
/// <para>
/// Each process uses its share of the machine's processors as threads, unless <c>OMP_NUM_THREADS</c> is set.
/// With two processes, Open MPI binds each to one core; <c>mpirun --bind-to none</c> removes this limit.
/// </para>
/// <para>
/// When a process dies, the whole job ends. An uncaught exception or an exit code other than 0 is reported on
/// standard error with the rank of the process and the reason; a process that was killed is reported by mpirun.
/// MPI is finalized when the process exits, because it cannot be initialized twice.
/// </para>
/// </remarks>
public sealed class MpiWorkers : ICommunicator, IDisposable
{
    private const string ThreadsVariable = "OMP_NUM_THREADS";

    private readonly MpiWorld? world;
    private readonly int threadsBefore = Compute.Threads;
    private bool left;

    private MpiWorkers(MpiWorld? world) => this.world = world;

    /// <inheritdoc/>
    public int Rank => world?.Rank ?? 0;

    /// <inheritdoc/>
    public int WorldSize => world?.Count ?? 1;

    /// <summary>
    /// Rank of this process among those on the same machine, from 0; also the index of the GPU that it may use.
    /// </summary>
    public int LocalRank => world?.LocalRank ?? 0;

    /// <summary>Joins the processes that were started together with this one. All of them must call it.</summary>
    /// <exception cref="DllNotFoundException">Several processes were started, and Open MPI's library was not found;
    /// the message says how to install it.</exception>
    /// <exception cref="InvalidOperationException">MPI sees another number of processes than the launcher
    /// started.</exception>
    public static MpiWorkers Start()
    {
        var started = ProcessRank.FromEnvironment().WorldSize;
        if (started == 1) return new MpiWorkers(null);
        var world = MpiWorld.Open();
        if (world.Count != started)
            throw new InvalidOperationException($"{started} processes were started together, but MPI sees {world.Count}; "
            + "start them with the mpirun of the same Open MPI, or with srun --mpi=pmix.");
        var workers = new MpiWorkers(world);
        var mine = ProcessorShare.Mine();
        var users = world.SumOfNeighbours(mine);
        if (Environment.GetEnvironmentVariable(ThreadsVariable) is null)
            Compute.Threads = ProcessorShare.Threads(mine, users, Environment.ProcessorCount);
        return workers;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// float16 and bfloat16 are summed in float32. Tensors on a GPU are copied through main memory.
    /// </remarks>
    /// <exception cref="ArgumentException">A tensor has a dtype that cannot be summed.</exception>
    public void AllReduce(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ObjectDisposedException.ThrowIf(left, this);
        for (var i = 0; i < tensors.Count; i++)
            if (tensors[i].dtype is not (
                ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float64 or ScalarType.Int64))
                throw new ArgumentException($"Tensor {i} is of dtype {tensors[i].dtype}; expected float16, bfloat16, float32, "
                + "float64 or int64.", nameof(tensors));
        if (world is { } all) FlatTensors.Exchange(tensors, Summed, all.Sum);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="from"/> is not the rank of a
    /// process.</exception>
    public void Broadcast(IReadOnlyList<Tensor> tensors, int from)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(from, WorldSize);
        ObjectDisposedException.ThrowIf(left, this);
        if (world is { } all) FlatTensors.Exchange(tensors, type => type, flat => all.Copy(flat, from));
    }

    /// <summary>Leaves the group and restores the number of threads that this process had before.</summary>
    public void Dispose()
    {
        if (left) return;
        left = true;
        if (world is not null) Compute.Threads = threadsBefore;
    }

    /// <summary>Returns the rank of the process and the world size.</summary>
    public override string ToString() => $"process {Rank} of {WorldSize}";

    private static ScalarType Summed(ScalarType type) => type is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32
        : type;
}
