using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>Runs a function on the threads that libtorch's own kernels run on.</summary>
/// <remarks>
/// Those threads wait actively for a while after each operation. Other threads would share the cores with them. Where libtorch
/// does not use GNU OpenMP, .NET's threads are used.
/// </remarks>
internal static unsafe class ThreadTeam
{
    private static readonly delegate* unmanaged<delegate* unmanaged<void*, void>, void*, uint, uint, void> Parallel =
        (delegate* unmanaged<delegate* unmanaged<void*, void>, void*, uint, uint, void>)Find("GOMP_parallel");
    private static readonly delegate* unmanaged<int> ThreadNumber = (delegate* unmanaged<int>)Find("omp_get_thread_num");
    private static readonly delegate* unmanaged<int> TeamSize = (delegate* unmanaged<int>)Find("omp_get_num_threads");

    /// <summary>Whether all threads run at the same time, so that they can wait for each other.</summary>
    public static bool IsTogether => Parallel is not null && ThreadNumber is not null && TeamSize is not null;

    private struct Call
    {
        public delegate*<void*, int, int, void> Body;
        public void* Data;
    }

    /// <summary>Runs the function once on each thread, and waits for all.</summary>
    /// <param name="body">Given the data, the number of its thread and how many there are; it must not throw.</param>
    /// <param name="data">Passed on.</param>
    /// <param name="threads">Most threads.</param>
    public static void Run(delegate*<void*, int, int, void> body, void* data, int threads)
    {
        if (threads <= 1)
        {
            body(data, 0, 1);
            return;
        }
        var call = new Call { Body = body, Data = data };
        if (IsTogether)
        {
            Parallel(&Enter, &call, (uint)threads, 0);
            return;
        }
        var address = (nint)(&call);
        System.Threading.Tasks.Parallel.For(0, threads,
            thread => ((Call*)address)->Body(((Call*)address)->Data, thread, threads));
    }

    /// <summary>The part of 0 … count − 1 that a thread works on.</summary>
    public static (int From, int To) Share(int count, int thread, int threads) =>
        ((int)((long)count * thread / threads), (int)((long)count * (thread + 1) / threads));

    [UnmanagedCallersOnly]
    private static void Enter(void* data)
    {
        var call = (Call*)data;
        call->Body(call->Data, ThreadNumber(), TeamSize());
    }

    private static nint Find(string function) => NativeLibrary.TryLoad(NativeLibraries.TorchPath, out var torch)
        && NativeLibrary.TryGetExport(torch, function, out var address) ? address : 0;
}
