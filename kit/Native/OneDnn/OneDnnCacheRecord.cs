using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>oneDNN's record of the processor's data caches, by which it divides its work into blocks.</summary>
/// <remarks>
/// oneDNN reads CPUID once, into a static object (<c>Xbyak::util::Cpu</c>). Where a virtual machine hides the
/// caches, the recorded sizes are one byte each; blocks of such sizes give wrong sums or a division by zero.
/// The object is in the writable data of libtorch_cpu. It is found by the processor's family, model and
/// stepping, which are part of it. Nothing is written unless exactly one place matches. Linux x64 only.
/// </remarks>
internal static unsafe class OneDnnCacheRecord
{
    // Layout of the object in 32-bit words: type_ (the features, 128 bits), x2APIC_supported_, then from word 0 on
    // numCores_[2], dataCacheSize_[10], coresSharingDataCache_[10], dataCacheLevels_, avx10version_, then model,
    // family, stepping, extended model and family, display family and model.
    private const int Features = -5, Topology = -1, Cores = 1, Sizes = 2, Sharing = 12, Levels = 22, Identity = 24,
        Words = 31, MostLevels = 10;
    private static readonly Lazy<nint> Place = new(Find);
    private static readonly Lazy<bool> Filled = new(Fill);

    /// <summary>Whether this process wrote cache sizes into the record.</summary>
    public static bool WasFilled => Filled is { IsValueCreated: true, Value: true };

    /// <summary>
    /// Whether oneDNN knows the cache sizes, either from CPUID or because they were written into its record. The
    /// first access writes them where that is needed.
    /// </summary>
    public static bool IsRight => PortableMode.IsOn || ProcessorCaches.Seen is not null || Filled.Value;

    /// <summary>Reads the cache sizes that oneDNN uses; null where its record cannot be found.</summary>
    public static CacheSizes? Read()
    {
        if (Place.Value is 0) return null;
        var record = (int*)Place.Value;
        var levels = record[Levels];
        int PerCore(int level) => level >= levels ? 0 : record[Sizes + level] / Math.Max(1, record[Sharing + level]);
        return new CacheSizes(PerCore(0), PerCore(1), PerCore(2));
    }

    /// <summary>Writes cache sizes into oneDNN's record.</summary>
    /// <returns>False if the record cannot be found; nothing was changed.</returns>
    public static bool Write(CacheSizes caches)
    {
        if (Place.Value is 0) return false;
        var record = (int*)Place.Value;
        int[] sizes = [caches.Level1, caches.Level2, caches.Level3];
        record[Cores] = Math.Max(1, record[Cores]);
        record[Levels] = sizes.Length;
        for (var level = 0; level < sizes.Length; level++)
        {
            record[Sizes + level] = sizes[level];
            record[Sharing + level] = 1;   // the sizes are already those of one core's share
        }
        return true;
    }

    /// <summary>
    /// Writes a fixed processor with its caches and cores into the record, which a portable run uses on every
    /// machine.
    /// </summary>
    /// <returns>False if the record cannot be found, or the processor lacks AVX, FMA or AVX2; nothing was
    /// changed.</returns>
    public static bool WritePortable()
    {
        const ulong neededFeatures = 1 << 14 | 1 << 15 | 1 << 20;              // AVX, FMA, AVX2
        // SSE to AVX2, FMA, F16C, BMI, made by Intel
        const ulong portableFeatures = 0x6_05F0_F7FF;
        if (Place.Value is 0) return false;
        var record = (int*)Place.Value;
        var features = (ulong*)(record + Features);
        if ((features[0] & neededFeatures) != neededFeatures) return false;
        features[0] = portableFeatures;
        features[1] = 0;
        record[Topology] = 1;
        record[0] = 1;
        record[Cores] = 4;
        record[Levels] = 3;
        record[Sizes] = 32 << 10;
        record[Sizes + 1] = 512 << 10;
        record[Sizes + 2] = 8 << 20;
        record[Sharing] = 1;
        record[Sharing + 1] = 1;
        record[Sharing + 2] = 4;
        return true;
    }

    private static bool Fill()
    {
        // the sizes that oneDNN reads where CPUID hides the caches
        if (ProcessorCaches.HiddenOnPurpose) Write(new CacheSizes(1, 1, 1));
        return !Workarounds.IsOff(Workarounds.CacheRecord) && Write(ProcessorCaches.BestKnown);
    }

    private static nint Find()
    {
        if (!OperatingSystem.IsLinux() || !X86Base.IsSupported || !NativeLibrary.TryGetExport(
            NativeLibrary.Load(NativeLibraries.TorchPath), "aoti_torch_cpu__linear_pointwise", out _)) return 0;
        using (var one = ones(2, 2)) OneDnnLinear.Multiply(one, one).Dispose();   // makes oneDNN read CPUID
        var matches = WritableRanges().SelectMany(range => Matches(range.Start, range.End)).Take(2).ToList();
        return matches.Count == 1 ? matches[0] : 0;
    }

    private static List<nint> Matches(nint start, nint end)
    {
        var found = new List<nint>();
        var words = new ReadOnlySpan<int>((void*)start, (int)((end - start) / sizeof(int)));
        ReadOnlySpan<int> identity = ProcessorIdentity();
        for (var at = Identity; at < words.Length; at++)
        {
            var next = words[at..].IndexOf(identity);
            if (next < 0) break;
            at += next;
            if (IsPlausible(words.Slice(at - Identity, Words))) found.Add(start + ((at - Identity) * sizeof(int)));
        }
        return found;
    }

    private static bool IsPlausible(ReadOnlySpan<int> record) =>
        record[0] is >= 0 and < 1 << 16 && record[Cores] is >= 0 and < 1 << 16 && record[Levels] is >= 0 and <= MostLevels
        && record[(Sizes + Math.Min(4, MostLevels))..Sharing].IndexOfAnyExcept(0) < 0
        && record[(Sharing + 4)..Levels].IndexOfAnyExcept(0) < 0;

    /// <summary>
    /// Returns model, family, stepping, extended model and family, display family and model, as Xbyak derives them
    /// from CPUID leaf 1.
    /// </summary>
    private static int[] ProcessorIdentity()
    {
        var signature = (uint)X86Base.CpuId(1, 0).Eax;
        int Bits(int from, int count) => (int)(signature >> from) & ((1 << count) - 1);
        var stepping = Bits(0, 4);
        var model = Bits(4, 4);
        var family = Bits(8, 4);
        var extendedModel = Bits(16, 4);
        var extendedFamily = Bits(20, 8);
        return [model, family, stepping, extendedModel, extendedFamily,
            family == 15 ? family + extendedFamily : family, family is 6 or 15 ? (extendedModel << 4) + model : model];
    }

    /// <summary>
    /// Returns the writable address ranges of libtorch_cpu: those mapped from its file, and the zero-initialized
    /// data after them.
    /// </summary>
    private static IEnumerable<(nint Start, nint End)> WritableRanges()
    {
        var behind = false;
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var path = line.IndexOf('/') is var slash and >= 0 ? line[slash..] : "";
            // only names are compared, because the folder may be a link
            var isLibrary = Path.GetFileName(path) == Path.GetFileName(NativeLibraries.TorchPath);
            if (parts[1].StartsWith("rw", StringComparison.Ordinal) && (isLibrary || (behind && parts.Length == 5)))
            {
                var range = parts[0].Split('-');
                yield return (Address(range[0]), Address(range[1]));
            }
            behind = isLibrary;
        }
    }

    private static nint Address(string hexadecimal) =>
        (nint)long.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
