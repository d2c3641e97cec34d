using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>Finds out which kernels are correct on this machine, and which of them are fastest.</summary>
/// <remarks>
/// An alternative kernel is chosen if its results differ from float64 by at most <see cref="Tolerance"/> of the
/// largest value, and if it takes at most 1 / <see cref="LeastGain"/> of the time of libtorch's own kernel. The
/// check takes about a tenth of a second, and stops after <see cref="KernelTrials.Budget"/> on a busy machine.
/// Trials that can end the process, or that must change a setting before a library's first call, run in a child
/// process, once for each machine (<see cref="ChildCheck"/>).
/// </remarks>
internal static class KernelSelfCheck
{
    /// <summary>
    /// Least gain in speed for which an alternative is chosen, so that the choice does not change from one check to
    /// the next.
    /// </summary>
    public const double LeastGain = 1.15;

    /// <summary>Largest difference from float64, relative to the largest value.</summary>
    public const double Tolerance = 1e-5;

    private const int Version = 5;

    /// <summary>
    /// Returns one line with all that the choice depends on: processor, libraries, threads, and the variables that
    /// choose instruction sets.
    /// </summary>
    public static string Key() => string.Join("; ",
    [
        $"check {Version.ToString(CultureInfo.InvariantCulture)}", Processor.Vendor, Processor.Signature, Processor.Name,
        string.Join(' ', Processor.InstructionSets),
        $"caches {ProcessorCaches.Seen?.ToString() ?? "hidden"}", RuntimeInformation.RuntimeIdentifier,
        $"libtorch {NativeLibraries.TorchVersion}",
        $"kit {typeof(KernelSelfCheck).Assembly.GetName().Version}",
        string.Create(CultureInfo.InvariantCulture, $"threads {Compute.Threads} of {Environment.ProcessorCount}"),
        .. new[] { "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR",
            Workarounds.Variable }.Select(name => $"{name}={EnvironmentSwitch.Value(name)}"),
    ]);

    /// <summary>Returns the cached result of an earlier check of this machine, or else runs a new check.</summary>
    public static KernelTable CachedOrNew()
    {
        var key = Key();
        var forced = EnvironmentSwitch.Value(Kernels.CheckVariable) == Kernels.Force;
        if (!forced && KernelCache.Read(key) is { } cached) return cached;
        var table = New(out var complete);
        if (complete) KernelCache.Write(key, table);
        return table;
    }

    /// <summary>Runs a new check.</summary>
    /// <param name="complete">Whether every operation was decided; if not, the next process checks again.</param>
    private static KernelTable New(out bool complete)
    {
        complete = true;
        var table = KernelTable.Defaults with { Source = "self-check of this process" };
        if (!X86Base.IsSupported || ChildCheck.IsChild)
            return table with { Source = "libtorch's own paths: no other is known for this processor" };
        var hidden = ProcessorCaches.Seen is null;
        if (hidden)
        {
            var report = ChildCheck.Convolutions();
            complete &= report.IsFinal;
            _ = OneDnnCacheRecord.IsRight;   // writes the cache sizes in this process too, before any kernel is tried
            if (!report.IsRight) table = table.With(new KernelChoice(KernelTable.Convolution, KernelTable.Columns,
                Error: report.Error)) with
            { Source = $"{table.Source}; {report.Note}" };
        }
        if (MklPaths.IsNeeded && !Workarounds.IsOff(Workarounds.MklPath))
        {
            var (choice, isFinal) = ChildCheck.MklPath();
            complete &= isFinal;
            table = table.With(choice);
            if (choice.Kernel == KernelTable.MklIntel && !MklPaths.Tell())
                table = table.With(new KernelChoice(KernelTable.Mkl, KernelTable.MklDefault));
        }
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var plain = Autocast.Pause(TorchSharp.DeviceType.CPU);
        table = KernelTrials.All(table, out var steady);
        complete &= steady;
        return steady ? table : table with { Source = $"{table.Source}; the machine was too busy to compare all times" };
    }
}
