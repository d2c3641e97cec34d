using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Kit;

/// <summary>The native kernels that the kit multiplies and convolves with in this process.</summary>
internal static class NativeKernels
{
    /// <summary>Checks the kit's environment variables.</summary>
    /// <exception cref="InvalidOperationException">A variable has a value that is not understood.</exception>
    public static void CheckEnvironment() => Compute.CheckEnvironment();

    /// <summary>Computes as a portable run does from now on.</summary>
    /// <exception cref="NotSupportedException">This processor cannot.</exception>
    /// <exception cref="InvalidOperationException">The kit has computed otherwise already.</exception>
    public static void MakePortable() => Compute.Portable = true;

    /// <summary>Whether this process computes as a portable run does.</summary>
    public static bool IsPortable => Compute.Portable;

    /// <summary>The kernels of an earlier run as a text for the environment; null where its record names none.</summary>
    /// <param name="record">The record or its folder.</param>
    /// <exception cref="FormatException">The record names a kernel that does not exist.</exception>
    public static string? OfRun(string record)
    {
        var read = RunRecord.Read(record);
        var kernels = read.Runs.Select(read.ProcessOf).Prepend(read.Process).Select(process => process.Kernels)
            .FirstOrDefault(one => one.Count > 0);
        return kernels is null ? null : KernelTable.FromDescription(kernels).ToString();
    }
}
