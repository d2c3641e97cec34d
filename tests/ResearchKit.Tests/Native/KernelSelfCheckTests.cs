using ResearchKit.Native;
using ResearchKit.Tests.Kernel;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

/// <summary>
/// The choice of kernels: how it is written, kept, given, and what it does where something is wrong. Never which kernel was
/// chosen.
/// </summary>
[Trait("Tier", "slow")]
public sealed class KernelSelfCheckTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_kernel_table_survives_writing_and_reading()
    {
        var table = KernelTable.Parse("linear-256=onednn convolution=columns");
        Assert.Equal(KernelTable.OneDnn, table[KernelTable.ManyRows]);
        Assert.Equal(KernelTable.Mkl, table[KernelTable.OneRow]);
        Assert.Equal(table.ToString(), KernelTable.Parse(table.ToString()).ToString());
        Assert.Equal(table.ToString(), KernelTable.FromDescription(table.Described()).ToString());
        Assert.True(table.ChoosesAs(KernelTable.FromNumbers(table.Numbers())));
        Assert.Contains("'linear-256=banana' names no kernel",
            Assert.Throws<FormatException>(() => KernelTable.Parse("linear-256=banana")).Message, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => KernelTable.Parse("banana"));
    }

    [Fact]
    public void Cached_kernels_are_read_again_and_those_of_another_machine_are_ignored()
    {
        using var variable = new SetVariable(KernelCache.FolderVariable, folder.Path);
        var table = KernelTable.Parse("linear-1=onednn")
            .With(new KernelChoice(KernelTable.OneRow, KernelTable.OneDnn, 1.5, 2e-7));
        Assert.Null(KernelCache.Read("this machine"));
        KernelCache.Write("this machine", table);
        var found = KernelCache.Read("this machine")!;
        Assert.True(found.ChoosesAs(table));
        Assert.Equal(1.5, found.Choices.Single(choice => choice.Operation == KernelTable.OneRow).Gain);
        Assert.Contains("cached", found.Source, StringComparison.Ordinal);
        Assert.Null(KernelCache.Read("another machine"));
        File.Move(KernelCache.PathFor("this machine"), KernelCache.PathFor("another machine"));   // as if both had the same hash
        Assert.Null(KernelCache.Read("another machine"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("researchkit kernels 1\nkey\n")]
    [InlineData("researchkit kernels 1\nkey\nlinear-1\tbanana\t1\t1\n")]
    [InlineData("researchkit kernels 1\nkey\nbanana\tmkl\t1\t1\n")]
    [InlineData("researchkit kernels 1\nkey\nlinear-1\tmkl\tbanana\n")]
    [InlineData("researchkit kernels 0\nkey\n")]
    public void A_damaged_cache_file_is_ignored(string content)
    {
        using var variable = new SetVariable(KernelCache.FolderVariable, folder.Path);
        File.WriteAllText(KernelCache.PathFor("key"), content);
        Assert.Null(KernelCache.Read("key"));
    }

    [Fact]
    public void A_cache_folder_that_cannot_be_written_is_not_an_error()
    {
        var file = folder.PathTo("file");
        File.WriteAllText(file, "");
        using var variable = new SetVariable(KernelCache.FolderVariable, file);   // a file where the folder should be
        KernelCache.Write("key", KernelTable.Defaults);
        Assert.Null(KernelCache.Read("key"));
    }

    [Fact]
    public void Off_selects_the_default_kernels_and_a_given_table_has_priority()
    {
        var off = ProbeProcess.Run("kernels", (Kernels.CheckVariable, "off")).Output.Split('\n');
        Assert.Equal([KernelTable.Defaults.ToString(), "RESEARCHKIT_SELFCHECK=off"], off[..2]);
        var given = ProbeProcess.Run("kernels", (Kernels.TableVariable, "linear-64=onednn"), (Kernels.CheckVariable, "off"),
            (Workarounds.Variable, null)).Output;
        Assert.Contains("linear-64=onednn", given, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_table_gives_the_same_bits_in_another_process()
    {
        var first = ProbeProcess.Run("table", (KernelCache.FolderVariable, folder.Path)).Output;
        Assert.Equal(first, ProbeProcess.Run("table", (Kernels.TableVariable, first.Split('\n')[0])).Output);
    }

    [Fact]
    public void Convolutions_that_crash_are_detected_in_a_child_process_and_the_run_continues()
    {
        if (!System.Runtime.Intrinsics.X86.X86Base.IsSupported) return;
        var run = ProbeProcess.Run("table", (ProcessorCaches.Variable, "hidden"), (Workarounds.Variable, "-cache-record"),
            (KernelCache.FolderVariable, folder.Path));
        Assert.Equal((0, true), (run.ExitCode, run.Output.Contains("convolution=columns", StringComparison.Ordinal)));
        var doctor = ProbeProcess.Run("kernels", (ProcessorCaches.Variable, "hidden"), (Workarounds.Variable, "-cache-record"),
            (KernelCache.FolderVariable, folder.Path));
        Assert.Equal(0, doctor.ExitCode);
    }

    [Fact]
    public void With_hidden_processor_caches_the_check_succeeds_and_its_table_can_be_reused()
    {
        var run = ProbeProcess.Run("table", (ProcessorCaches.Variable, "hidden"), (KernelCache.FolderVariable, folder.Path));
        var plain = ProbeProcess.Run("table", (Kernels.TableVariable, run.Output.Split('\n')[0]));
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(run.Output.Split('\n')[0], plain.Output.Split('\n')[0]);
    }

    [Fact]
    public void The_cache_sizes_of_oneDNN_are_filled_in_before_kernels_are_tried()
    {
        if (!System.Runtime.Intrinsics.X86.X86Base.IsSupported || !OperatingSystem.IsLinux()) return;
        // an empty record would make oneDNN wrong every time; on a busy machine it may also seem slow, for once
        for (var trial = 1; ; trial++)
        {
            var run = ProbeProcess.Run("hidden-record", (ProcessorCaches.Variable, "hidden"), (Workarounds.Variable, null),
                (Kernels.CheckVariable, "force"), (KernelCache.FolderVariable, folder.Path));
            Assert.True(run.ExitCode == 0, run.Output + run.Errors);
            Assert.Contains("filled=True", run.Output, StringComparison.Ordinal);
            if (run.Output.Contains("convolution=onednn", StringComparison.Ordinal)) return;
            Assert.True(trial < 4, run.Output);
        }
    }

    [Fact]
    public void The_check_works_in_inference_mode()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        KernelTrials.All(KernelTable.Defaults, out _);
    }

    [Fact]
    public void Explicitly_set_kernels_are_kept_when_the_number_of_threads_changes()
    {
        using var kernels = new TestKernels("");
        var threads = Compute.Threads;
        var set = KernelTable.Defaults with { Source = "of an earlier run" };
        Compute.Kernels = set;
        try
        {
            Compute.Threads = threads + 1;
            Assert.Same(set, Compute.Kernels);
        }
        finally
        {
            Compute.Threads = threads;
        }
    }

    [Fact]
    public void The_check_does_not_change_the_random_generator_or_the_gradient_mode()
    {
        using var scope = NewDisposeScope();
        using var kernels = new TestKernels("");
        Compute.Seed(11);
        var want = rand(4);
        Compute.Seed(11);
        KernelTrials.All(KernelTable.Defaults, out _);
        Assert.True(is_grad_enabled());
        Assert.Equal(want.data<float>().ToArray(), rand(4).data<float>().ToArray());
    }

    [Fact]
    public void Setting_the_kernels_to_null_is_refused_and_changes_nothing()
    {
        var before = Compute.Kernels;
        Assert.Throws<ArgumentNullException>(() => Compute.Kernels = null!);
        Assert.Same(before, Compute.Kernels);
    }

    private sealed class SetVariable : IDisposable
    {
        private readonly string name;
        private readonly string? before;

        public SetVariable(string name, string value)
        {
            this.name = name;
            before = Environment.GetEnvironmentVariable(name);
            Environment.SetEnvironmentVariable(name, value);
        }

        public void Dispose() => Environment.SetEnvironmentVariable(name, before);
    }
}
