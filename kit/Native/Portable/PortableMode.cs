using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace ResearchKit.Native;

/// <summary>
/// Makes libtorch, MKL and oneDNN compute identically on every x64 processor with AVX2, so that a run gives the
/// same bits on all of them.
/// </summary>
/// <remarks>
/// Each library chooses its code by the processor's maker, instruction sets, caches and cores. In this mode
/// each of them sees the same processor: one of 2013 with AVX2 and FMA. No kernels are measured. See
/// <see cref="Compute.Portable"/> for what the mode guarantees.
/// </remarks>
internal static partial class PortableMode
{
    public const string Variable = "RESEARCHKIT_PORTABLE";

    /// <summary>
    /// Number of threads of a portable run, unless the run sets another. Sums are split among threads, so the
    /// result depends on the number.
    /// </summary>
    public const int DefaultThreads = 2;

    private const string On = "1", Off = "0";

    /// <summary>Environment variables that the libraries read once, before their first operation.</summary>
    private static readonly (string Name, string Value)[] Settings =
    [
        ("ATEN_CPU_CAPABILITY", "avx2"),
        ("ONEDNN_MAX_CPU_ISA", "AVX2"),
        ("ONEDNN_CPU_ISA_HINTS", "NO_HINTS"),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "STRICT"),
        ("MKL_CBWR", "AVX2,STRICT"),
        ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ("MKL_DYNAMIC", "FALSE"),
    ];

    private static readonly string[] Unset = ["MKL_NUM_THREADS", "MKL_DOMAIN_NUM_THREADS", "MKL_NUM_STRIPES"];

    /// <summary>Whether this process is a portable run.</summary>
    public static bool IsOn { get; private set; }

    /// <summary>
    /// The kernels of a portable run: MKL's products, oneDNN's convolutions, and bfloat16 products emulated in
    /// float32.
    /// </summary>
    public static KernelTable Kernels { get; } = KernelTable.Parse(
        $"{KernelTable.Mkl}={KernelTable.MklIntel} {KernelTable.BFloat16Product}={KernelTable.Float32} "
            + $"{KernelTable.BFloat16Convolution}={KernelTable.Float32}") with
    {
        Source = "fixed, for a portable run",
    };

    /// <summary>Switches the mode on if the environment variable requests it.</summary>
    public static void EnterIfAsked()
    {
        if (EnvironmentSwitch.Read(Variable, On, Off) == On) Enter();
    }

    /// <summary>Switches the mode on.</summary>
    /// <exception cref="InvalidOperationException">A tensor was created before, so the libraries have already
    /// chosen.</exception>
    /// <exception cref="NotSupportedException">The mode is not possible on this machine; the message gives the
    /// reason.</exception>
    public static void Enter()
    {
        if (IsOn) return;
        if (torch.Tensor.PeakCount > 0)
            throw new InvalidOperationException("Portable mode was requested after the first tensor operation; "
            + "set Compute.Portable before it.");
        if (Obstacle() is { } why) throw new NotSupportedException($"A portable run is not possible here: {why}");
        Fix();
    }

    /// <summary>Makes each library see the same processor.</summary>
    internal static void Fix()
    {
        foreach (var (name, value) in Settings) _ = setenv(name, value, 1);
        foreach (var name in Unset) _ = unsetenv(name);
        IsOn = true;
        try
        {
            PortableMkl.Fix();
            PortableThreads.Fix(DefaultThreads);
            PortableLibtorch.Fix();
            if (!OneDnnCacheRecord.WritePortable()) throw Missing("oneDNN's record of the processor");
        }
        catch
        {
            IsOn = false;
            throw;
        }
    }

    /// <summary>Creates the exception for a function or record that was not found in a library.</summary>
    public static NotSupportedException Missing(string what) =>
        new($"A portable run is not possible here: {what} was not found in this libtorch ({NativeLibraries.TorchVersion} for "
            + "Linux x64 of the packages is expected).");

    private static string? Obstacle() =>
        !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64
            ? "it needs Linux on an x64 processor, where libtorch shows which code MKL and oneDNN choose."
        : !Avx2.IsSupported || !Fma.IsSupported ? "the processor has no AVX2 and FMA."
        : Workarounds.IsOff(Workarounds.MklPath) ? $"{Workarounds.Variable} switches {Workarounds.MklPath} off, which it needs."
        : Workarounds.IsOff(Workarounds.PortableFunctions)
        ? $"{Workarounds.Variable} switches {Workarounds.PortableFunctions} off, which it needs."
        : Workarounds.IsOff(Workarounds.BFloat16) ? $"{Workarounds.Variable} switches {Workarounds.BFloat16} off, which it needs."
        : null;

    // .NET keeps its own copy of the environment variables; native code reads those of the C library.
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unsetenv(string name);
}
