namespace ResearchKit.Native;

/// <summary>Registry of all workarounds: why each exists, and how to switch it off.</summary>
/// <remarks>
/// <c>RESEARCHKIT_WORKAROUNDS=off</c> switches off all workarounds that are not required;
/// <c>RESEARCHKIT_WORKAROUNDS=-cache-record,-scalar-cache</c> switches off the named ones. Each has a test that
/// switches it off and expects a failure. If that test fails, the workaround can be removed.
/// </remarks>
public static class Workarounds
{
    /// <summary>Name of the environment variable that switches workarounds off.</summary>
    public const string Variable = "RESEARCHKIT_WORKAROUNDS";

    internal const string SymbolVersion = "symbol-version", TensorInterface = "tensor-interface", ScalarFree = "scalar-free",
        SharedScalars = "scalar-cache",
        Terminate = "terminate-handler", AutocastSymbols = "autocast", OneDnnProducts = "onednn-linear",
            FusedConvolution = "fused-convolution", CacheRecord = "cache-record", MklPath = "mkl-path",
        BFloat16 = "bfloat16-emulation", Malloc = "malloc-tuning", Pages = "large-pages", Threads = "openmp-threads",
        PortableFunctions = "portable-functions";

    private const string Off = "off", Made = "TorchSharp 0.107.0, libtorch 2.10.0";
    private static readonly string? Asked = EnvironmentSwitch.Value(Variable);

    /// <summary>Every workaround of the kit.</summary>
    public static IReadOnlyList<Workaround> All { get; } =
    [
        new(SymbolVersion, Made, "TorchSharp's library is built against GCC 13's libstdc++ and does not load with an older one, "
            + "though it uses nothing of it.", true,
            () => NativeLibraries.RelaxedSymbolVersion),
        new(TensorInterface, Made, "TorchSharp cannot make two tensors share one storage; libtorch's C interface can.", true,
            () => true),
        new(ScalarFree, Made, "TorchSharp's numbers (Scalar) may be freed by the garbage collector while the native call that "
            + "was given them still reads them.", false,
            () => DeferredScalarFree.Kept),
        new(SharedScalars, Made, "TorchSharp makes a native object for every number in an expression and leaves it to the "
            + "garbage collector, which splits the native heap.", false,
            () => ScalarCache.IsUsed),
        new(Terminate, Made, "Some calls of TorchSharp (matmul, autograd.grad, cummax) let C++ exceptions out of native code, "
            + "which ends the process.", false,
            () => TerminateHandler.IsInstalled),
        new(AutocastSymbols, Made,
            "TorchSharp does not bind autocast, so mixed precision calls libtorch's C++ functions by name.", false,
            () => Autocast.IsSupported),
        new(OneDnnProducts, Made, "libtorch multiplies float32 matrices by MKL alone, though it carries oneDNN, which is faster "
            + "on some processors.", false,
            () => OneDnnLinear.IsThere && Kernels.Chosen is { } chosen && (chosen.UsesOneDnnLinear || chosen.PacksForOneDnn)),
        new(FusedConvolution, Made, "TorchSharp does not bind oneDNN's convolution that adds a bias and another map and applies "
            + "ReLU in one kernel.", false,
            () => OneDnnConvolution.WasUsed),
        new(CacheRecord, Made + " (oneDNN 3.7.1)", "Where CPUID hides the cache sizes, oneDNN plans by sizes of one byte: wrong "
            + "sums, or a division by zero that ends the process.", false,
            () => ProcessorCaches.Seen is null && OneDnnCacheRecord.WasFilled),
        new(MklPath, Made + " (MKL 2024)", "MKL takes its fast kernels for small products and attention on Intel's processors "
            + "alone, even where others have the same instructions.", false,
            () => MklPaths.IsTold),
        new(BFloat16, Made, "Without bfloat16 instructions libtorch's bfloat16 products take several times as long as float32's.",
            false,
            () => Kernels.Chosen?.EmulatesBFloat16 ?? false),
        new(Malloc, Made, "glibc gives memory back to the system after each step and gets it anew for the next.", false,
            () => MallocTuning.IsThere),
        new(Pages, Made, "Fresh memory for weights costs a page fault for every 4 KB.", false,
            () => OperatingSystem.IsLinux()),
        new(Threads, Made, "libtorch's fused optimizer steps start all threads for each tensor, however small.", false,
            () => OpenMp.Present > 0),
        new(PortableFunctions, Made, "MKL, oneDNN and libtorch choose code and the order of sums by the processor, and have no "
            + "setting that fixes all of it.", false,
            () => PortableMode.IsOn),
    ];

    /// <summary>Names of the workarounds that are active in this process.</summary>
    public static IReadOnlyList<string> Active =>
        [.. All.Where(workaround => workaround.IsActive).Select(workaround => workaround.Name)];

    /// <summary>
    /// Whether the environment variable switches a workaround off. Ignores values that it does not understand;
    /// <see cref="Check"/> reports them.
    /// </summary>
    internal static bool IsOff(string name) => Asked is not null && (Asked == Off || Named(Asked).Contains(name));

    /// <summary>Checks the value of the environment variable.</summary>
    /// <exception cref="InvalidOperationException">The environment variable names an unknown workaround, or one
    /// that cannot be switched off.</exception>
    internal static void Check()
    {
        if (Asked is null or Off) return;
        foreach (var name in Asked.Split(',', StringSplitOptions.TrimEntries))
            if (!name.StartsWith('-') || !All.Any(workaround => !workaround.IsRequired && workaround.Name == name[1..]))
                throw EnvironmentSwitch.Wrong(Variable, Asked,
                    $"'off', or names with a minus sign before each of "
                        + $"{string.Join(", ", All.Where(one => !one.IsRequired).Select(one => one.Name))}");
    }

    private static IEnumerable<string> Named(string asked) =>
        asked.Split(',', StringSplitOptions.TrimEntries).Select(name => name.TrimStart('-'));
}
