using System.Diagnostics;
using System.Globalization;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>A Python process that holds a reference ready and measures a round of it whenever it is asked, so that both can take turns.</summary>
/// <remarks>
/// The script prints <c>ready</c> once, or <c>refused REASON</c>; then, for each line that it reads, the milliseconds of one round. Its
/// memory allocator keeps what is freed, as the trainer's does, and OpenBLAS is told which kernels are fast on this processor, which it
/// does not find out by itself in virtual machines.
/// </remarks>
internal sealed class PythonTimer : IDisposable
{
    /// <summary>Debian's, which sees the system's torch; the variable names another.</summary>
    private static readonly string Python = Environment.GetEnvironmentVariable("RESEARCHKIT_PYTHON") ?? "/usr/bin/python3";

    private readonly Process process;

    /// <param name="script">Its file name, beside the tables.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="NotSupportedException">There is no such Python, or the script refuses.</exception>
    public PythonTimer(string script, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Python, [Repository.Script(script), .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var threads = Native.Compute.Threads.ToString(CultureInfo.InvariantCulture);
        foreach (var name in new[] { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS" }) start.Environment[name] = threads;
        start.Environment["OPENBLAS_CORETYPE"] = KernelsOf(Processor.Read());
        start.Environment.Remove("OPENBLAS_L2_SIZE");
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = int.MaxValue.ToString(CultureInfo.InvariantCulture);
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = (32 << 20).ToString(CultureInfo.InvariantCulture);
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new NotSupportedException($"There is no Python at {Python}.");
        }
        var answer = process.StandardOutput.ReadLine();
        if (answer == "ready") return;
        Dispose();
        throw new NotSupportedException(answer?.StartsWith("refused ", StringComparison.Ordinal) == true
            ? answer["refused ".Length..] : $"{Python} could not run {script}; it needs torch (Debian: python3-torch, libopenblas0-pthread).");
    }

    /// <summary>Milliseconds of one round.</summary>
    public double Round()
    {
        process.StandardInput.WriteLine("go");
        process.StandardInput.Flush();
        return double.Parse(process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The Python process ended."), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        process.StandardInput.Close();   // the script's loop ends
        process.WaitForExit();
        process.Dispose();
    }

    private static string KernelsOf(Processor processor) =>
        processor.HasAvx512 ? "SKYLAKEX" : processor.InstructionSets.Contains("avx2") ? "HASWELL" : "NEHALEM";
}
