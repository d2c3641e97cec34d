using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ResearchKit.Native;

/// <summary>
/// Describes this machine and how the kit uses it, in lines of a name and a value. <c>researchkit doctor</c>
/// prints them.
/// </summary>
public static class MachineReport
{
    /// <summary>Returns processor, memory, libraries and devices, without measurements.</summary>
    public static IReadOnlyList<(string Name, string Value)> Machine() =>
    [
        ("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}"),
        ("processor",
            $"{Processor.Name} ({Processor.Vendor}{(Processor.Signature.Length > 0 ? $", {Processor.Signature}" : "")})"),
        ("instruction sets", Processor.InstructionSets.Count > 0 ? string.Join(", ", Processor.InstructionSets)
            : "none that the kit asks for"),
        ("caches by CPUID", ProcessorCaches.Seen is { } caches ? Text(caches)
            : $"hidden; taken for {Text(ProcessorCaches.BestKnown)}"),
        ("caches in oneDNN", OneDnnCacheRecord.IsRight && OneDnnCacheRecord.Read() is { } record ? Text(record)
            + (OneDnnCacheRecord.WasFilled ? ", written by the kit" : "") : "not known"),
        ("cores", Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture)),
        ("threads", Compute.Threads.ToString(CultureInfo.InvariantCulture)),
        ("memory", string.Create(CultureInfo.InvariantCulture,
            $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1L << 30)} GiB")),
        ("libtorch", $"{NativeLibraries.TorchVersion}, {NativeLibraries.TorchPath}"),
        ("mixed precision", Autocast.IsSupported ? "supported"
            : "not supported: this libtorch does not show its autocast functions"),
        ("CUDA", torch.cuda.is_available() ? string.Create(CultureInfo.InvariantCulture, $"{torch.cuda.device_count()} device(s)")
            : "no device, or a libtorch without CUDA (build with -p:TorchBackend=cuda)"),
        ("Apple GPU (MPS)", torch.mps_is_available() ? "available" : "not available"),
    ];

    /// <summary>
    /// Returns the kernels in use with the reasons. Chooses the kernels if that has not happened yet.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An environment variable of the kit has a value that is not understood.
    /// </exception>
    public static IReadOnlyList<(string Name, string Value)> KernelsInUse() =>
        [.. Compute.Kernels.Described().Select(pair => (pair.Key, pair.Value)), .. SteppedAside()];

    /// <summary>Measures how fast large matrices are multiplied, in well under a second.</summary>
    public static IReadOnlyList<(string Name, string Value)> Rates()
    {
        string Rate(torch.ScalarType type) =>
            string.Create(CultureInfo.InvariantCulture, $"{PeakMatmulRate.Of(Compute.BestDevice(), type) / 1e9:0} GFLOP/s");
        return [("float32", Rate(torch.ScalarType.Float32)), ("bfloat16", Rate(torch.ScalarType.BFloat16))];
    }

    /// <summary>Lists the optimizations for x64 and glibc that do not apply on this system.</summary>
    private static IEnumerable<(string Name, string Value)> SteppedAside()
    {
        if (!OneDnnLinear.IsThere)
            yield return ("oneDNN's products", "not shown by this libtorch, or switched off; MKL or the platform's own are used");
        if (!OperatingSystem.IsLinux())
            yield return ("Linux only", "the cache record, MKL's paths and malloc's tuning are left as they are on this system");
        if (Compute.BestDevice().type != DeviceType.CPU)
            yield return ("on the GPU", "libtorch's own kernels; the choices above are for the CPU");
    }

    private static string Text(CacheSizes caches) => string.Create(CultureInfo.InvariantCulture,
        $"{caches.Level1 >> 10} KiB, {caches.Level2 >> 10} KiB, {caches.Level3 >> 10} KiB for each core");
}
