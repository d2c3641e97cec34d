using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>The processor of this machine, by what CPUID says, and the class that its results are filed under.</summary>
internal sealed record Processor(string Name, string Vendor, int Family, int Model, int Stepping,
    IReadOnlyList<string> InstructionSets, bool CachesVisible)
{
    public bool HasAvx512 => InstructionSets.Contains("avx512");

    /// <summary>Products of bfloat16 in hardware.</summary>
    public bool HasBFloat16 => InstructionSets.Contains("avx512-bf16") || InstructionSets.Contains("amx-bf16");

    /// <summary>Such as <c>amd-zen3-avx2</c> or <c>amd-zen5-avx512-bf16-hidden-caches</c>.</summary>
    public string Class =>
        string.Join('-', new[] { Vendor, Generation, InstructionSets.Count > 0 ? InstructionSets[^1] : "",
        CachesVisible ? "" : "hidden-caches" }
        .Where(part => part.Length > 0));

    private string Generation => (Vendor, Family, Model) switch
    {
        ("amd", 0x17, < 0x30) => "zen",
        ("amd", 0x17, _) => "zen2",
        ("amd", 0x19, < 0x10 or (>= 0x20 and < 0x60)) => "zen3",
        ("amd", 0x19, _) => "zen4",
        ("amd", 0x1A, _) => "zen5",
        ("intel", 6, 0x55) => Stepping >= 10 ? "cooperlake" : Stepping >= 5 ? "cascadelake" : "skylake",
        ("intel", 6, 0x6A or 0x6C) => "icelake",
        ("intel", 6, 0x8F) => "sapphirerapids",
        ("intel", 6, 0xCF) => "emeraldrapids",
        ("intel", 6, 0xAD or 0xAE) => "graniterapids",
        (_, 0, _) => "",
        _ => $"family{Family:x}-model{Model:x}",
    };

    public static Processor Read()
    {
        if (!X86Base.IsSupported)
            return new Processor(RuntimeInformation.ProcessArchitecture.ToString(),
                RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(), 0, 0, 0, [], true);
        var signature = X86Base.CpuId(1, 0).Eax;
        var family = (signature >> 8) & 0xF;
        var model = (signature >> 4) & 0xF;
        if (family is 6 or 15) model += ((signature >> 16) & 0xF) << 4;
        if (family == 15) family += (signature >> 20) & 0xFF;
        return new Processor(Brand(), MakerOf(), family, model, signature & 0xF, [.. Sets()], ListsCaches(4)
            || ListsCaches(unchecked((int)0x8000001D)));
    }

    /// <summary>From the oldest to the newest.</summary>
    private static IEnumerable<string> Sets()
    {
        var (leaf7, leaf71) = (X86Base.CpuId(7, 0), X86Base.CpuId(7, 1));
        if (Avx2.IsSupported && Fma.IsSupported) yield return "avx2";
        if (!Avx512F.IsSupported) yield break;
        yield return "avx512";
        if ((leaf71.Eax & (1 << 5)) != 0) yield return "avx512-bf16";
        if ((leaf7.Edx & (1 << 22)) != 0) yield return "amx-bf16";
    }

    private static string MakerOf()
    {
        var (_, b, c, d) = X86Base.CpuId(0, 0);
        return Text(b, d, c) switch
        {
            "AuthenticAMD" =>
            "amd",
            "GenuineIntel" => "intel",
            var other => other.Trim().ToLowerInvariant()
        };
    }

    private static string Brand() => string.Concat(Enumerable.Range(0, 3).Select(part =>
    {
        var (a, b, c, d) = X86Base.CpuId(unchecked((int)0x80000002) + part, 0);
        return Text(a, b, c, d);
    })).Trim('\0', ' ');

    private static string Text(params int[] words) => System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(words.AsSpan()));

    private static bool ListsCaches(int leaf) =>
        (uint)X86Base.CpuId(leaf & unchecked((int)0x80000000), 0).Eax >= (uint)leaf && (X86Base.CpuId(leaf, 0).Eax & 0x1F) != 0;
}
