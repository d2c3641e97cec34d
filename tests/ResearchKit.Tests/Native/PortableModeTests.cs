using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using ResearchKit.Native;

namespace ResearchKit.Tests.Native;

/// <summary>
/// Portable runs in processes of their own: whatever a processor or its environment has libraries choose, the bits are the same.
/// </summary>
[Trait("Tier", "slow")]
public sealed class PortableModeTests
{
    private const string On = "1";
    private static readonly Lazy<string> Plain = new(() => Hashes());

    internal static bool IsPossible => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64
        && Avx2.IsSupported && Fma.IsSupported
        && !Workarounds.IsOff(Workarounds.MklPath) && !Workarounds.IsOff(Workarounds.BFloat16);

    [Fact]
    public void Environment_variables_of_the_libraries_do_not_change_a_bit() => Same(
        ("ATEN_CPU_CAPABILITY", "default"), ("ONEDNN_MAX_CPU_ISA", "SSE41"), ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
            ("MKL_CBWR", "COMPATIBLE"), ("MKL_NUM_THREADS", "1"));

    [Fact]
    public void The_number_of_threads_and_memory_addresses_do_not_change_a_bit() =>
        Same(("OMP_NUM_THREADS", "5"), ("MKL_DYNAMIC", "TRUE"), (PortableProbe.OffsetVariable, "3"));

    [Theory]
    [InlineData("8,16,0")]
    [InlineData("32,256,8192")]
    [InlineData("48,2048,262144")]
    public void The_cache_sizes_that_oneDNN_assumes_do_not_change_a_bit(string caches) => Same(
        (PortableMode.Variable, null), (PortableProbe.CachesVariable, caches), ("ATEN_CPU_CAPABILITY", "avx2"),
            ("ONEDNN_MAX_CPU_ISA", "AVX2"));

    [Fact]
    public void Hidden_processor_caches_and_the_choice_of_kernels_do_not_change_a_bit() =>
        Same((ProcessorCaches.Variable, ProcessorCaches.Hidden), (Kernels.TableVariable, "linear-256=onednn"),
            (Kernels.CheckVariable, "force"));

    [Fact]
    public void Without_portable_mode_environment_variables_change_bits()
    {
        if (!IsPossible) return;
        Assert.NotEqual(Plain.Value,
            Hashes((PortableMode.Variable, null), ("ATEN_CPU_CAPABILITY", "default"), ("MKL_CBWR", "COMPATIBLE")));
    }

    [Fact]
    public void It_cannot_be_enabled_after_the_first_tensor()
    {
        using var first = TorchSharp.torch.ones(1);
        Assert.Contains("before", Assert.Throws<InvalidOperationException>(() => Compute.Portable = true).Message,
            StringComparison.Ordinal);
        Assert.False(Compute.Portable);
        Compute.Portable = false;
    }

    [Fact]
    public void An_invalid_value_of_the_environment_variable_is_an_error() =>
        Assert.Contains($"{PortableMode.Variable} is 'banana'",
            ProbeProcess.Run("table", (PortableMode.Variable, "banana")).Errors, StringComparison.Ordinal);

    [Fact]
    public void In_portable_mode_the_kernels_are_fixed()
    {
        if (!IsPossible) return;
        var (exit, output, errors) =
            ProbeProcess.Run("table", (PortableMode.Variable, On), (Kernels.TableVariable, "linear-256=onednn"));
        Assert.True(exit == 0, errors);
        Assert.Contains(PortableMode.Kernels.ToString(), output, StringComparison.Ordinal);
    }

    private static void Same(params (string Name, string? Value)[] environment)
    {
        if (IsPossible) Assert.Equal(Plain.Value, Hashes(environment));
    }

    private static string Hashes(params (string Name, string? Value)[] environment)
    {
        var (exit, output, errors) = ProbeProcess.Run("portable", [(PortableMode.Variable, On), .. environment]);
        Assert.True(exit == 0, $"the probe ended with {exit}: {output}{errors}");
        Assert.Contains("lstm: ", output, StringComparison.Ordinal);
        return output;
    }
}
