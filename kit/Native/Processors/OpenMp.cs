using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>
/// Number of threads that libtorch's kernels use for calls from the current thread; other threads are not
/// affected.
/// </summary>
/// <remarks>
/// Some kernels, such as the fused optimizer steps, start all threads for every tensor. That costs 4 µs for
/// each, which is more than the work on a small one. The number is OpenMP's setting for the calling thread, so
/// nothing else in the process changes.
/// </remarks>
internal static unsafe class OpenMp
{
    private static readonly delegate* unmanaged<int, void> SetThreads =
        (delegate* unmanaged<int, void>)Find("omp_set_num_threads");
    private static readonly delegate* unmanaged<int> MaximumThreads = (delegate* unmanaged<int>)Find("omp_get_max_threads");

    /// <summary>
    /// Sets one thread for calls from the current thread, until the returned object is disposed. Does nothing
    /// without OpenMP.
    /// </summary>
    public static Threads One()
    {
        if (SetThreads is null || MaximumThreads is null || Workarounds.IsOff(Workarounds.Threads)) return default;
        var before = MaximumThreads();
        SetThreads(1);
        return new Threads(before);
    }

    /// <summary>Number of threads for calls from the current thread; 0 without OpenMP.</summary>
    public static int Present => MaximumThreads is null ? 0 : MaximumThreads();

    /// <summary>Restores the previous number of threads when it is disposed.</summary>
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
        // on Windows, TryGetExport does not search the dependencies of a library
        var beside = Path.Combine(Path.GetDirectoryName(NativeLibraries.TorchPath)!, "libiomp5md.dll");
        return File.Exists(beside) && NativeLibrary.TryLoad(beside, out var library)
            && NativeLibrary.TryGetExport(library, function, out address) ? address : 0;
    }
}
