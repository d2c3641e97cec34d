using ResearchKit.Native;

namespace ResearchKit.Tests.Native;

/// <summary>
/// Each workaround, without it and with it, in processes of their own. Where a test says that the path works without the
/// workaround, the libraries were mended and it can go.
/// </summary>
[Trait("Tier", "slow")]
[Collection(OtherPrograms.Name)]
public sealed class WorkaroundTests
{
    public static TheoryData<string> Names => [.. Probes.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_workaround_fixes_what_fails_without_it(string name)
    {
        if (name == Workarounds.MklPath && !MklPaths.IsNeeded) return;   // an Intel processor
        if (name == Workarounds.PortableFunctions && !System.Runtime.Intrinsics.X86.Avx2.IsSupported) return;
        if (name == Workarounds.FusedConvolution && !System.Runtime.Intrinsics.X86.X86Base.IsSupported) return;
        (string, string?)[] like =
        [
            (ProcessorCaches.Variable, name == Workarounds.CacheRecord ? ProcessorCaches.Hidden : null),
            (Kernels.TableVariable, name == Workarounds.BFloat16 ? "bf16-linear=float32" : null),
            ("OMP_NUM_THREADS", "2"),
        ];
        Assert.NotEqual(0, ProbeProcess.Run(name, [(Workarounds.Variable, $"-{name}"), .. like]).ExitCode);
        var with = ProbeProcess.Run(name, [(Workarounds.Variable, null), .. like]);
        Assert.True(with.ExitCode == 0, $"{name} ended with {with.ExitCode}: {with.Output}{with.Errors}");
    }

    [Fact]
    public void Every_workaround_that_can_be_switched_off_has_a_probe() =>
        Assert.Equal(Workarounds.All.Where(one => !one.IsRequired).Select(one => one.Name).Order(), Probes.Names.Order());

    [Fact]
    public void Without_the_workaround_libtorch_does_not_use_oneDNN_for_linear_layers()
    {
        var verbose = ProbeProcess.Run("onednn-linear", (Workarounds.Variable, "-onednn-linear"), ("ONEDNN_VERBOSE", "1"));
        Assert.DoesNotContain("inner_product", verbose.Output, StringComparison.Ordinal);
        Assert.Contains("inner_product",
            ProbeProcess.Run("onednn-linear", (Workarounds.Variable, null), ("ONEDNN_VERBOSE", "1")).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_workaround_has_a_unique_name_a_reason_and_versions()
    {
        Assert.Equal(Workarounds.All.Count, Workarounds.All.Select(one => one.Name).Distinct().Count());
        Assert.All(Workarounds.All, one =>
        {
            Assert.Contains("libtorch", one.Versions, StringComparison.Ordinal);
            Assert.EndsWith(".", one.Reason, StringComparison.Ordinal);
        });
        Assert.Contains("tensor-interface", Workarounds.Active);
    }

    [Theory]
    [InlineData(Workarounds.Variable, "banana")]
    [InlineData(Workarounds.Variable, "-banana")]
    [InlineData(Workarounds.Variable, "-tensor-interface")]
    [InlineData(Kernels.CheckVariable, "banana")]
    [InlineData(Kernels.TableVariable, "linear-256=banana")]
    [InlineData(ProcessorCaches.Variable, "banana")]
    public void An_invalid_environment_variable_is_an_error_that_states_what_is_expected(string variable, string value)
    {
        var run = ProbeProcess.Run("kernels", (variable, value));
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains($"The environment variable {variable}", run.Errors, StringComparison.Ordinal);
        Assert.Contains("expected", run.Errors, StringComparison.Ordinal);
    }
}
