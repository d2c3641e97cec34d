using System.Text;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>All processes of an MPI job, as one of them sees them. Opened once in a process, closed when it exits.</summary>
/// <remarks>
/// A process that ends otherwise than well takes the job with it: an exception that nobody caught, and an exit code other than 0,
/// abort it with the process's number and the reason on standard error. One that is killed is seen by mpirun.
/// </remarks>
internal sealed unsafe class MpiWorld
{
    private const int Most = 1 << 28;          // elements of one call; MPI counts in int
    private const int FromSignal = 128;        // exit codes from here on: the launcher ended it
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
            Abort(error.ExceptionObject.ToString() ?? "an error that says nothing");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(Environment.ExitCode);
        if (provided < Mpi.OneThreadAtATime)
            throw new InvalidOperationException($"MPI allows calls of its first thread alone (level {provided}); expected a "
                + "library that takes them from any thread.");
        Check(Mpi.Split(all, Mpi.SameMachine, rank, library.NoInfo, out neighbours), "Comm_split_type");
        Check(Mpi.Rank(neighbours, out var localRank), "Comm_rank");
        LocalRank = localRank;
    }

    public int Rank { get; }

    public int Count { get; }

    /// <summary>Number among the processes of the same machine.</summary>
    public int LocalRank { get; }

    /// <summary>The job of this process, which all of its processes open.</summary>
    public static MpiWorld Open()
    {
        lock (Gate) return opened ??= new MpiWorld();
    }

    /// <summary>Sums numbers over the processes, in place.</summary>
    /// <param name="flat">Contiguous, in main memory: float32, float64 or int64.</param>
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

    /// <summary>Copies what one process holds to all.</summary>
    /// <param name="flat">Contiguous, in main memory.</param>
    /// <param name="from">Number of that process.</param>
    public void Copy(Tensor flat, int from)
    {
        var start = NativeTensors.Data(flat);
        var bytes = flat.numel() * flat.element_size();
        lock (turn)
            for (var done = 0L; done < bytes; done += Most)
                Check(Mpi.Broadcast((nint)(start + done), (int)Math.Min(Most, bytes - done), library.Bytes, from, all), "Bcast");
        GC.KeepAlive(flat);
    }

    /// <summary>Sums numbers over the processes of this machine.</summary>
    public long[] SumOfNeighbours(long[] numbers)
    {
        var sum = numbers.ToArray();
        lock (turn)
            fixed (long* start = sum)
                Check(Mpi.Reduce(Mpi.InPlace, (nint)start, sum.Length, library.Int64, library.Sum, neighbours), "Allreduce");
        return sum;
    }

    /// <summary>Ends all processes of the job at once.</summary>
    public void Abort(string reason)
    {
        lock (Gate)
        {
            if (over) return;
            over = true;
        }
        var text = Encoding.UTF8.GetBytes($"\nProcess {Rank} of {Count} ends the job: {reason.TrimEnd()}\n");
        using (var error = Console.OpenStandardError()) error.Write(text);   // Console.Error may lead into a notebook
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
