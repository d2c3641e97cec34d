using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>The kernels in use, chosen at the first product or convolution of a process.</summary>
/// <remarks>
/// The first of these that exists is taken: given kernels (<see cref="Compute.Kernels"/>,
/// <c>RESEARCHKIT_KERNELS</c>), the cached result of a self-check of this machine, a new self-check
/// (<see cref="KernelSelfCheck"/>). <c>RESEARCHKIT_SELFCHECK=off</c> takes libtorch's own kernels; <c>force</c>
/// runs a new check.
/// </remarks>
internal sealed class Kernels
{
    public const string CheckVariable = "RESEARCHKIT_SELFCHECK", TableVariable = "RESEARCHKIT_KERNELS",
        Off = "off", Force = "force";

    private static readonly Lock Gate = new();
    private static volatile Kernels? current;

    private readonly bool oneRow, fewRows, someRows, manyRows, packedOneRow, packedFewRows, packedManyRows;

    private readonly bool isFixed;   // given, so independent of the number of threads

    private Kernels(KernelTable table, bool isFixed)
    {
        this.isFixed = isFixed;
        Table = table;
        bool Is(string operation, string kernel) => table[operation] == kernel;
        oneRow = Is(KernelTable.OneRow, KernelTable.OneDnn);
        fewRows = Is(KernelTable.FewRows, KernelTable.OneDnn);
        someRows = Is(KernelTable.SomeRows, KernelTable.OneDnn);
        manyRows = Is(KernelTable.ManyRows, KernelTable.OneDnn);
        packedOneRow = Is(KernelTable.PackedOneRow, KernelTable.OneDnn);
        packedFewRows = Is(KernelTable.PackedFewRows, KernelTable.OneDnn);
        packedManyRows = Is(KernelTable.PackedManyRows, KernelTable.OneDnn);
        WritesTokens = Is(KernelTable.Token, KernelTable.Kit);
        InputGradientByOneDnn = Is(KernelTable.InputGradient, KernelTable.OneDnn);
        WeightGradientByOneDnn = Is(KernelTable.WeightGradient, KernelTable.OneDnn);
        ConvolvesByColumns = Is(KernelTable.Convolution, KernelTable.Columns);
        var emulates = !Workarounds.IsOff(Workarounds.BFloat16);
        EmulatesBFloat16Products = emulates && Is(KernelTable.BFloat16Product, KernelTable.Float32);
        EmulatesBFloat16Convolutions = emulates && Is(KernelTable.BFloat16Convolution, KernelTable.Float32);
    }

    /// <summary>The kernels of this process, which are chosen at the first access.</summary>
    /// <exception cref="InvalidOperationException">
    /// An environment variable of the kit has a value that is not understood.
    /// </exception>
    public static Kernels Current => current ?? Decide();

    /// <summary>The kernels of this process; null if none have been chosen yet.</summary>
    public static Kernels? Chosen => current;

    public KernelTable Table { get; }

    /// <summary>Whether a float32 model packed for inference writes tokens by the kit's own steps.</summary>
    public bool WritesTokens { get; }

    public bool InputGradientByOneDnn { get; }

    public bool WeightGradientByOneDnn { get; }

    public bool ConvolvesByColumns { get; }

    public bool EmulatesBFloat16Products { get; }

    public bool EmulatesBFloat16Convolutions { get; }

    public bool EmulatesBFloat16 => EmulatesBFloat16Products || EmulatesBFloat16Convolutions;

    public bool UsesOneDnnLinear => oneRow || fewRows || someRows || manyRows || InputGradientByOneDnn || WeightGradientByOneDnn;

    /// <summary>
    /// Whether oneDNN multiplies this many rows by this many weights, according to the measurement for the nearest
    /// number of rows. MKL always does small products.
    /// </summary>
    public bool MultipliesByOneDnn(long rows, long weights) => rows switch
    {
        1 => oneRow && weights >= 1 << 18,
        <= 8 => fewRows && weights >= 1 << 18,
        <= 128 => someRows && rows * weights >= 1 << 20,
        _ => manyRows && rows * weights >= 1 << 20,
    };

    /// <summary>Whether oneDNN multiplies this many rows by a weight that was packed for it.</summary>
    public bool MultipliesPackedByOneDnn(long rows) => rows switch
    {
        1 => packedOneRow,
        <= 32 => packedFewRows,
        _ => packedManyRows,
    };

    /// <summary>Whether oneDNN is used for packed weights with at least one number of rows.</summary>
    public bool PacksForOneDnn => packedOneRow || packedFewRows || packedManyRows;

    /// <summary>Whether oneDNN is used for packed weights with all numbers of rows.</summary>
    public bool AlwaysPacksForOneDnn => packedOneRow && packedFewRows && packedManyRows;

    /// <summary>Sets the kernels.</summary>
    /// <exception cref="NotSupportedException">This system lacks one of the kernels; the previous ones stay in
    /// use.</exception>
    /// <exception cref="InvalidOperationException">The run is portable, which fixes the kernels.</exception>
    public static void Use(KernelTable table)
    {
        if (PortableMode.IsOn && !table.ChoosesAs(PortableMode.Kernels))
            throw new InvalidOperationException($"A portable run fixes the kernels ({PortableMode.Kernels}); "
            + $"{table} cannot be set.");
        lock (Gate) current = Applied(table, isFixed: true);
    }

    /// <summary>
    /// Chooses the kernels again at the next product. Called when the number of threads has changed.
    /// </summary>
    public static void Forget()
    {
        lock (Gate)
            if (current is { isFixed: false }) current = null;
    }

    private static Kernels Decide()
    {
        lock (Gate)
        {
            var given = PortableMode.IsOn ? PortableMode.Kernels : Asked();
            return current ??= Applied(given ?? KernelSelfCheck.CachedOrNew(), given is not null);
        }
    }

    /// <summary>Returns the table that environment variables give; null if the self-check must decide.</summary>
    private static KernelTable? Asked()
    {
        CheckEnvironment();
        if (EnvironmentSwitch.Value(TableVariable) is { } text) return KernelTable.Parse(text);
        return EnvironmentSwitch.Value(CheckVariable) == Off ? KernelTable.Defaults with { Source = $"{CheckVariable}=off" }
            : null;
    }

    /// <summary>Checks the kit's environment variables.</summary>
    /// <exception cref="InvalidOperationException">A variable of the kit has a value that is not
    /// understood.</exception>
    public static void CheckEnvironment()
    {
        Workarounds.Check();
        EnvironmentSwitch.Read(CheckVariable, Off, Force);
        EnvironmentSwitch.Read(ProcessorCaches.Variable, ProcessorCaches.Hidden);
        if (EnvironmentSwitch.Value(TableVariable) is not { } text) return;
        try
        {
            KernelTable.Parse(text);
        }
        catch (FormatException error)
        {
            throw new InvalidOperationException(
                $"The environment variable {TableVariable} is not understood: {error.Message}", error);
        }
    }

    private static Kernels Applied(KernelTable table, bool isFixed)
    {
        var kernels = new Kernels(table, isFixed);
        if ((kernels.UsesOneDnnLinear || kernels.PacksForOneDnn) && !OneDnnLinear.IsThere)
            throw new NotSupportedException("oneDNN's products were requested, but this system's libtorch does not "
            + "export them, or the workaround is switched off.");
        if (table[KernelTable.Mkl] == KernelTable.MklIntel && MklPaths.IsNeeded && !MklPaths.Tell())
            throw new NotSupportedException("MKL's code paths for Intel processors were requested, but this system does "
            + "not allow choosing them, or the workaround is switched off.");
        // writes the cache sizes into oneDNN's record if they are missing there
        if (X86Base.IsSupported && (!kernels.ConvolvesByColumns || kernels.UsesOneDnnLinear || kernels.PacksForOneDnn))
            _ = OneDnnCacheRecord.IsRight;
        return kernels;
    }
}
