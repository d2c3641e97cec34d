using ResearchKit.Native;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>The processes that <c>mpirun</c> or <c>srun</c> started together: data-parallel training over Open MPI.</summary>
/// <remarks>
/// <para>
/// <c>mpirun -n 4 researchkit run study.ipynb</c> (or <c>srun --mpi=pmix -n 4 …</c>) with
/// <c>var workers = MpiWorkers.Start();</c> in the notebook. Started by neither, the process is alone, and no MPI is needed. Each
/// process takes its share of every batch (<see cref="Data.BatchLoader"/> with
/// <c>share: workers.Rank, shares: workers.WorldSize</c>), and the gradients are summed. The weights are those of one process
/// with the batch of all together, but for the order in which float32 numbers are added: within 1e-5 after four SGD steps of a
/// small model.
/// </para>
/// <para>
/// The sums are taken once the backward pass is over: TorchSharp tells nobody when a gradient is ready, and Open MPI moves data
/// only while somebody calls it, so that on processors an overlap would take from the computation what it gives. Small gradients
/// travel together in buckets of 25 MB, large ones from where they lie.
/// </para>
/// <para>
/// The threads of a process are its share of the machine's processors, unless <c>OMP_NUM_THREADS</c> says otherwise. Open MPI
/// binds each of two processes to one core; <c>mpirun --bind-to none</c> leaves them all.
/// </para>
/// <para>
/// When a process dies, the job ends: with the number of the process and the reason on standard error where an exception was not
/// caught or the process exits with a code other than 0, and with mpirun's word where it was killed. MPI itself is closed when
/// the process exits, for it cannot be opened twice.
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

    /// <summary>Number of this process among those of the same machine, from 0: that of the GPU it may take.</summary>
    public int LocalRank => world?.LocalRank ?? 0;

    /// <summary>Joins the processes that were started together with this one; all of them must call it.</summary>
    /// <exception cref="DllNotFoundException">
    /// There are several, and Open MPI's library was not found; the message says how to get it.
    /// </exception>
    /// <exception cref="InvalidOperationException">MPI does not see the processes that the launcher started.</exception>
    public static MpiWorkers Start()
    {
        var started = ProcessRank.FromEnvironment().WorldSize;
        if (started == 1) return new MpiWorkers(null);
        var world = MpiWorld.Open();
        if (world.Count != started)
            throw new InvalidOperationException($"{started} processes were started together, but MPI sees {world.Count}; "
                + "expected the mpirun of the same Open MPI, or srun with --mpi=pmix.");
        var workers = new MpiWorkers(world);
        var mine = ProcessorShare.Mine();
        var users = world.SumOfNeighbours(mine);
        if (Environment.GetEnvironmentVariable(ThreadsVariable) is null)
            Compute.Threads = ProcessorShare.Threads(mine, users, Environment.ProcessorCount);
        return workers;
    }

    /// <inheritdoc/>
    /// <remarks>Sums of float16 and bfloat16 are taken in float32; tensors on a GPU go through main memory.</remarks>
    /// <exception cref="ArgumentException">A tensor is of another dtype.</exception>
    public void AllReduce(IReadOnlyList<Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ObjectDisposedException.ThrowIf(left, this);
        for (var i = 0; i < tensors.Count; i++)
            if (tensors[i].dtype is not (
                ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float64 or ScalarType.Int64))
                throw new ArgumentException($"Tensor {i} is of dtype {tensors[i].dtype}; sums are taken of float16, bfloat16, "
                    + "float32, float64 and int64.", nameof(tensors));
        if (world is { } all) FlatTensors.Exchange(tensors, Summed, all.Sum);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">There is no such process.</exception>
    public void Broadcast(IReadOnlyList<Tensor> tensors, int from)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(from, WorldSize);
        ObjectDisposedException.ThrowIf(left, this);
        if (world is { } all) FlatTensors.Exchange(tensors, type => type, flat => all.Copy(flat, from));
    }

    /// <summary>This process sums no more, and has its threads back.</summary>
    public void Dispose()
    {
        if (left) return;
        left = true;
        if (world is not null) Compute.Threads = threadsBefore;
    }

    /// <summary>Which process it is, of how many.</summary>
    public override string ToString() => $"process {Rank} of {WorldSize}";

    private static ScalarType Summed(ScalarType type) => type is ScalarType.Float16 or ScalarType.BFloat16 ? ScalarType.Float32
        : type;
}
