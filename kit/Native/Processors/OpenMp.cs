using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// How many threads libtorch's own kernels take for a call from the present thread; other threads are not touched.
/// </summary>
/// <remarks>
/// Some kernels, the fused optimizer steps among them, start all threads for every tensor however small, which costs 4 µs each:
/// more than the work. The number is OpenMP's own for the calling thread, so nothing else of the process changes.
/// </remarks>
internal static unsafe class OpenMp
{
    private static readonly delegate* unmanaged<int, void> SetThreads =
        (delegate* unmanaged<int, void>)Find("omp_set_num_threads");
    private static readonly delegate* unmanaged<int> MaximumThreads = (delegate* unmanaged<int>)Find("omp_get_max_threads");

    /// <summary>One thread for what the present thread calls, while this is alive; without OpenMP nothing changes.</summary>
    public static Threads One()
    {
        if (SetThreads is null || MaximumThreads is null || Workarounds.IsOff(Workarounds.Threads)) return default;
        var before = MaximumThreads();
        SetThreads(1);
        return new Threads(before);
    }

    /// <summary>Threads that calls from the present thread take; 0 without OpenMP.</summary>
    public static int Present => MaximumThreads is null ? 0 : MaximumThreads();

    /// <summary>Puts the number of threads back.</summary>
    public readonly ref struct Threads
    {
        private readonly int before;

        internal Threads(int before) => this.before = before;

        public void Dispose()
        {
            if (before > 0) SetThreads(before);
        }
    }

    private static nint Find(string function)
    {
        if (NativeLibrary.TryLoad(NativeLibraries.TorchPath, out var torch)
            && NativeLibrary.TryGetExport(torch, function, out var address)) return address;
        // Windows does not look into what a library needs
        var beside = Path.Combine(Path.GetDirectoryName(NativeLibraries.TorchPath)!, "libiomp5md.dll");
        return File.Exists(beside) && NativeLibrary.TryLoad(beside, out var library)
            && NativeLibrary.TryGetExport(library, function, out address) ? address : 0;
    }
}
