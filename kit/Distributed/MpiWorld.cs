using System.Text;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>
/// MPI_COMM_WORLD as seen by one process. Opened once in a process, and closed when the process exits.
/// </summary>
/// <remarks>
/// A process that fails ends the whole job: after an uncaught exception or an exit code other than 0 it aborts
/// the job and writes its rank and the reason to standard error. mpirun notices a process that was killed.
/// </remarks>
internal sealed unsafe class MpiWorld
{
    private const int Most = 1 << 28;          // elements of one call; MPI counts in int
    // exit codes of 128 and above mean a signal: the launcher is already ending the job
    private const int FromSignal = 128;
    private static readonly Lock Gate = new();
    private static MpiWorld? opened;

    private readonly MpiLibrary library = MpiLibrary.Open();
    private readonly Lock turn = new();
    private readonly nint all, neighbours;
    private bool over;

    private MpiWorld()
    {
        all = library.World;
        Check(Mpi.Initialize(0, 0, Mpi.OneThreadAtATime, out var provided), "Init_thread");
        Check(Mpi.HandleErrors(all, library.ReturnErrors), "Comm_set_errhandler");
        Check(Mpi.Rank(all, out var rank), "Comm_rank");
        Check(Mpi.Count(all, out var count), "Comm_size");
        Rank = rank;
        Count = count;
        AppDomain.CurrentDomain.UnhandledException += (_, error) =>
        Abort(error.ExceptionObject.ToString() ?? "an exception without a message");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(Environment.ExitCode);
        if (provided < Mpi.OneThreadAtATime)
            throw new InvalidOperationException($"MPI allows calls from its first thread only (level {provided}); "
            + "expected a library that allows calls from any thread, one at a time (MPI_THREAD_SERIALIZED).");
        Check(Mpi.Split(all, Mpi.SameMachine, rank, library.NoInfo, out neighbours), "Comm_split_type");
        Check(Mpi.Rank(neighbours, out var localRank), "Comm_rank");
        LocalRank = localRank;
    }

    public int Rank { get; }

    public int Count { get; }

    /// <summary>Rank of this process among those on the same machine, from 0.</summary>
    public int LocalRank { get; }

    /// <summary>
    /// Returns the MPI job of this process, and initializes MPI at the first call. All processes of the job must
    /// call it.
    /// </summary>
    public static MpiWorld Open()
    {
        lock (Gate) return opened ??= new MpiWorld();
    }

    /// <summary>Sums a tensor over all processes (all-reduce), in place.</summary>
    /// <param name="flat">A contiguous tensor in main memory: float32, float64 or int64.</param>
    public void Sum(Tensor flat)
    {
        var type = flat.dtype switch
        {
            ScalarType.Float32 => library.Float32,
            ScalarType.Float64 => library.Float64,
            _ => library.Int64
        };
        var start = NativeTensors.Data(flat);
        var count = flat.numel();
        var size = flat.element_size();
        lock (turn)
            for (var done = 0L; done < count; done += Most)
                Check(Mpi.Reduce(Mpi.InPlace, (nint)(start + (done * size)), (int)Math.Min(Most, count - done), type,
                    library.Sum, all), "Allreduce");
        GC.KeepAlive(flat);
    }

    /// <summary>Broadcasts a tensor from one process to all others.</summary>
    /// <param name="flat">A contiguous tensor in main memory.</param>
    /// <param name="from">Rank of the sending process.</param>
    public void Copy(Tensor flat, int from)
    {
        var start = NativeTensors.Data(flat);
        var bytes = flat.numel() * flat.element_size();
        lock (turn)
            for (var done = 0L; done < bytes; done += Most)
                Check(Mpi.Broadcast((nint)(start + done), (int)Math.Min(Most, bytes - done), library.Bytes, from, all), "Bcast");
        GC.KeepAlive(flat);
    }

    /// <summary>Sums numbers over the processes on this machine.</summary>
    public long[] SumOfNeighbours(long[] numbers)
    {
        var sum = numbers.ToArray();
        lock (turn)
            fixed (long* start = sum)
                Check(Mpi.Reduce(Mpi.InPlace, (nint)start, sum.Length, library.Int64, library.Sum, neighbours), "Allreduce");
        return sum;
    }

    /// <summary>Ends all processes of the job, and writes the reason to standard error.</summary>
    public void Abort(string reason)
    {
        lock (Gate)
        {
            if (over) return;
            over = true;
        }
        var text = Encoding.UTF8.GetBytes($"\nProcess {Rank} of {Count} ends the job: {reason.TrimEnd()}\n");
        // Console.Error may be redirected to a notebook
        using (var error = Console.OpenStandardError()) error.Write(text);
        _ = Mpi.Abort(all, 1);
    }

    private void End(int exitCode)
    {
        if (over || exitCode >= FromSignal) return;
        if (exitCode != 0)
        {
            Abort($"it exited with code {exitCode}.");
            return;
        }
        lock (turn) _ = Mpi.Close();
    }

    private void Check(int error, string call)
    {
        if (error == 0) return;
        var text = stackalloc byte[Mpi.LongestError];
        var known = Mpi.Describe(error, text, out var length) == 0;
        throw new InvalidOperationException($"MPI_{call} failed in process {Rank} of {Count}: "
            + $"{(known ? Encoding.UTF8.GetString(text, length) : $"error {error}")}.");
    }
}
