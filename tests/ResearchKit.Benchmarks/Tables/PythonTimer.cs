using System.Diagnostics;
using System.Globalization;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>References in Python.</summary>
/// <remarks>
/// Python's memory allocator keeps what is freed, as the trainer's does, and OpenBLAS is told which kernels are fast on this
/// processor, which it does not find out by itself in virtual machines.
/// </remarks>
internal static class PythonTimer
{
    /// <summary>Debian's, which sees the system's torch; the variable names another.</summary>
    private static readonly string Python = Environment.GetEnvironmentVariable("RESEARCHKIT_PYTHON") ?? "/usr/bin/python3";

    /// <param name="script">Its file name, beside the tables.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="NotSupportedException">There is no such Python, or the script refuses.</exception>
    public static ChildTimer Start(string script, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Python, [Repository.Script(script), .. arguments]);
        var threads = Native.Compute.Threads.ToString(CultureInfo.InvariantCulture);
        foreach (var name in new[] { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS" }) start.Environment[name] = threads;
        start.Environment["OPENBLAS_CORETYPE"] = KernelsOf(Processor.Read());
        start.Environment.Remove("OPENBLAS_L2_SIZE");
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = int.MaxValue.ToString(CultureInfo.InvariantCulture);
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = (32 << 20).ToString(CultureInfo.InvariantCulture);
        return new ChildTimer(start,
            $"{Python} could not run {script}; it needs torch (Debian: python3-torch, libopenblas0-pthread).");
    }

    private static string KernelsOf(Processor processor) =>
        processor.HasAvx512 ? "SKYLAKEX" : processor.InstructionSets.Contains("avx2") ? "HASWELL" : "NEHALEM";
}
