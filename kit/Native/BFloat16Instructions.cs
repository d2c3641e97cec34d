using System.Runtime.Intrinsics.X86;

namespace ResearchKit.Native;

/// <summary>Whether the processor multiplies bfloat16 itself.</summary>
internal static class BFloat16Instructions
{
    private const int Features = 7, Avx512BFloat16 = 1 << 5, AmxBFloat16 = 1 << 22;   // leaf 7: subleaf 1 EAX, subleaf 0 EDX

    /// <summary>AVX512_BF16 or AMX-BF16.</summary>
    public static bool AreThere { get; set; } = X86Base.IsSupported && Avx512F.IsSupported && X86Base.CpuId(0, 0).Eax >= Features
        && ((X86Base.CpuId(Features, 1).Eax & Avx512BFloat16) != 0 || (X86Base.CpuId(Features, 0).Edx & AmxBFloat16) != 0);
}
