using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace ResearchKit.Native;

/// <summary>Properties of the processor, as it reports them.</summary>
internal static class Processor
{
    private const string ProcessorInformation = "/proc/cpuinfo", Unknown = "unknown";

    /// <summary>Name of the processor, as given by the maker or the hypervisor.</summary>
    public static string Name { get; } = ReadName();

    /// <summary>
    /// Maker of the processor, such as <c>GenuineIntel</c> or <c>AuthenticAMD</c>; on processors that are not x64,
    /// the architecture.
    /// </summary>
    public static string Vendor { get; } = ReadVendor();

    /// <summary>Family, model and stepping on x64, such as <c>25.1.1</c>; empty elsewhere.</summary>
    public static string Signature { get; } = ReadSignature();

    /// <summary>Instruction sets that matter for products and convolutions.</summary>
    public static IReadOnlyList<string> InstructionSets { get; } = [.. ReadInstructionSets()];

    /// <summary>Whether the processor has bfloat16 product instructions: AVX512_BF16 or AMX.</summary>
    public static bool MultipliesBFloat16 { get; set; } = InstructionSets.Any(set => set is "AVX512_BF16" or "AMX_BF16");

    private static IEnumerable<string> ReadInstructionSets()
    {
        if (!X86Base.IsSupported) yield break;
        if (Avx.IsSupported) yield return "AVX";
        if (Avx2.IsSupported) yield return "AVX2";
        if (Fma.IsSupported) yield return "FMA";
        if (Avx512F.IsSupported) yield return "AVX512F";
        if (Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported) yield return "AVX512BW/DQ/VL";
        if (AvxVnni.IsSupported) yield return "AVX_VNNI";
        if (X86Base.CpuId(0, 0).Eax < 7) yield break;
        var (_, _, c, d) = X86Base.CpuId(7, 0);
        if (Avx512F.IsSupported && (c & 1 << 11) != 0) yield return "AVX512_VNNI";
        if (Avx512F.IsSupported && (X86Base.CpuId(7, 1).Eax & 1 << 5) != 0) yield return "AVX512_BF16";
        if ((d & 1 << 22) != 0) yield return "AMX_BF16";
    }

    private static string ReadVendor()
    {
        if (!X86Base.IsSupported) return RuntimeInformation.ProcessArchitecture.ToString();
        var (_, b, c, d) = X86Base.CpuId(0, 0);
        Span<int> name = [b, d, c];
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(name));
    }

    private static string ReadSignature()
    {
        if (!X86Base.IsSupported) return "";
        var bits = (uint)X86Base.CpuId(1, 0).Eax;
        var stepping = bits & 15;
        var model = (bits >> 4) & 15;
        var family = (bits >> 8) & 15;
        if (family is 6 or 15) model += ((bits >> 16) & 15) << 4;
        if (family == 15) family += (bits >> 20) & 255;
        return string.Create(CultureInfo.InvariantCulture, $"{family}.{model}.{stepping}");
    }

    private static string ReadName()
    {
        var model = File.Exists(ProcessorInformation)
            ? File.ReadLines(ProcessorInformation).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return model?.Split(':', 2)[^1].Trim() ?? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? Unknown;
    }
}
