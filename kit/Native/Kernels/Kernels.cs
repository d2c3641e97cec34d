using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>The kernels in use, decided at the first product or convolution of a process.</summary>
/// <remarks>
/// Given ones come first (<see cref="Compute.Kernels"/>, <c>RESEARCHKIT_KERNELS</c>), then those that a self-check of this
/// machine once found and cached, then a new self-check (<see cref="KernelSelfCheck"/>). <c>RESEARCHKIT_SELFCHECK=off</c> takes
/// libtorch's own paths, <c>force</c> checks anew.
/// </remarks>
internal sealed class Kernels
{
    public const string CheckVariable = "RESEARCHKIT_SELFCHECK", TableVariable = "RESEARCHKIT_KERNELS",
        Off = "off", Force = "force";

    private static readonly Lock Gate = new();
    private static volatile Kernels? current;

    private readonly bool oneRow, fewRows, someRows, manyRows, packedOneRow, packedFewRows, packedManyRows;

    private readonly bool isFixed;   // given, and not measured with a number of threads

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
        InputGradientByOneDnn = Is(KernelTable.InputGradient, KernelTable.OneDnn);
        WeightGradientByOneDnn = Is(KernelTable.WeightGradient, KernelTable.OneDnn);
        ConvolvesByColumns = Is(KernelTable.Convolution, KernelTable.Columns);
        var emulates = !Workarounds.IsOff(Workarounds.BFloat16);
        EmulatesBFloat16Products = emulates && Is(KernelTable.BFloat16Product, KernelTable.Float32);
        EmulatesBFloat16Convolutions = emulates && Is(KernelTable.BFloat16Convolution, KernelTable.Float32);
    }

    /// <summary>The kernels of this process; decides them when first asked.</summary>
    /// <exception cref="InvalidOperationException">
    /// An environment variable of the kit has a value that is not understood.
    /// </exception>
    public static Kernels Current => current ?? Decide();

    /// <summary>The kernels; null if none have been chosen yet.</summary>
    public static Kernels? Chosen => current;

    public KernelTable Table { get; }

    public bool InputGradientByOneDnn { get; }

    public bool WeightGradientByOneDnn { get; }

    public bool ConvolvesByColumns { get; }

    public bool EmulatesBFloat16Products { get; }

    public bool EmulatesBFloat16Convolutions { get; }

    public bool EmulatesBFloat16 => EmulatesBFloat16Products || EmulatesBFloat16Convolutions;

    public bool UsesOneDnnLinear => oneRow || fewRows || someRows || manyRows || InputGradientByOneDnn || WeightGradientByOneDnn;

    /// <summary>
    /// Whether oneDNN is used: the choice that was measured for the nearest number of rows. Small products are always MKL's.
    /// </summary>
    public bool MultipliesByOneDnn(long rows, long weights) => rows switch
    {
        1 => oneRow && weights >= 1 << 18,
        <= 8 => fewRows && weights >= 1 << 18,
        <= 128 => someRows && rows * weights >= 1 << 20,
        _ => manyRows && rows * weights >= 1 << 20,
    };

    /// <summary>Whether oneDNN multiplies so many rows by a weight that was laid out for it beforehand.</summary>
    public bool MultipliesPackedByOneDnn(long rows) => rows switch
    {
        1 => packedOneRow,
        <= 32 => packedFewRows,
        _ => packedManyRows,
    };

    /// <summary>Whether oneDNN is used for packed weights with any number of rows.</summary>
    public bool PacksForOneDnn => packedOneRow || packedFewRows || packedManyRows;

    /// <summary>Whether oneDNN is used for packed weights with every number of rows.</summary>
    public bool AlwaysPacksForOneDnn => packedOneRow && packedFewRows && packedManyRows;

    /// <summary>Takes these from now on.</summary>
    /// <exception cref="NotSupportedException">This system lacks one of them; the kernels stay as they were.</exception>
    /// <exception cref="InvalidOperationException">The run is portable, which fixes other ones.</exception>
    public static void Use(KernelTable table)
    {
        if (PortableMode.IsOn && !table.ChoosesAs(PortableMode.Kernels))
            throw new InvalidOperationException(
                $"A portable run fixes the kernels ({PortableMode.Kernels}); others were asked for.");
        lock (Gate) current = Applied(table, isFixed: true);
    }

    /// <summary>Decides again at the next product: the number of threads has changed.</summary>
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

    /// <summary>The table that the environment gives; null if the self-check must decide.</summary>
    private static KernelTable? Asked()
    {
        CheckEnvironment();
        if (EnvironmentSwitch.Value(TableVariable) is { } text) return KernelTable.Parse(text);
        return EnvironmentSwitch.Value(CheckVariable) == Off ? KernelTable.Defaults with { Source = $"{CheckVariable}=off" }
            : null;
    }

    /// <exception cref="InvalidOperationException">A variable of the kit has a value that is not understood.</exception>
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
        if ((kernels.UsesOneDnnLinear || kernels.PacksForOneDnn) && !OneDnnLinear.IsThere) throw new NotSupportedException(
            "oneDNN's products were asked for, but this system's libtorch does not show them, or they are switched off.");
        if (table[KernelTable.Mkl] == KernelTable.MklIntel && MklPaths.IsNeeded && !MklPaths.Tell())
            throw new NotSupportedException("MKL's paths for Intel's processors were asked for, but this system does not let "
                + "them be chosen, or the workaround is switched off.");
        // fills the record where it must be
        if (X86Base.IsSupported && (!kernels.ConvolvesByColumns || kernels.UsesOneDnnLinear || kernels.PacksForOneDnn))
            _ = OneDnnCacheRecord.IsRight;
        return kernels;
    }
}
