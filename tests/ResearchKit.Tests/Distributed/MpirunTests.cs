namespace ResearchKit.Tests.Distributed;

/// <summary>Two processes under Open MPI's mpirun.</summary>
[Collection(OtherPrograms.Name)]
public sealed class MpirunTests(MpirunTests.WholeRun whole) : IClassFixture<MpirunTests.WholeRun>, IDisposable
{
    private readonly MpiRuns runs = new();

    public void Dispose() => runs.Dispose();

    [SkippableFact]
    public async Task Two_processes_give_the_result_of_one_and_only_the_first_writes()
    {
        RequireMpi();
        var two = await whole.RunAsync();
        var (code, said) = await runs.OneAsync("alone", MpiRuns.Sums);
        Assert.True(code == 0, said);
        Assert.Equal(runs.Names("alone/out"), two.Names("whole/out"));
        Assert.Equal(runs.Names("alone/steps"), two.Names("whole/steps"));
        Assert.Single(whole.Said.Split('\n'), line => line.StartsWith("cell 4 of 4: succeeded", StringComparison.Ordinal));
        var (expected, actual) = (runs.Weights("alone"), two.Weights("whole"));
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance: 1e-5 * Math.Max(1, expected[i]));
    }

    [SkippableFact]
    public async Task A_failing_process_ends_the_job_with_its_rank_and_error()
    {
        RequireMpi();
        var (code, said) = await runs.TwoAsync("parts", """
            foreach (var report in trainer.Run())
                if (report.Step == 5 && workers.Rank == 1) throw new InvalidOperationException("the second is out of sorts");
            """);
        Assert.NotEqual(0, code);
        Assert.Contains("Process 1 of 2: ", said, StringComparison.Ordinal);
        Assert.Contains("the second is out of sorts", said, StringComparison.Ordinal);
    }

    [SkippableFact]
    [Trait("Length", "long")]
    public async Task A_killed_process_ends_the_job_and_the_run_can_be_resumed()
    {
        RequireMpi();
        var (code, said) = await runs.TwoAsync("parts", """
            foreach (var report in trainer.Run())
                if (report.Step == 5 && workers.Rank == 1) System.Diagnostics.Process.GetCurrentProcess().Kill();
            """);
        Assert.NotEqual(0, code);
        Assert.Contains("rank 1", said, StringComparison.Ordinal);   // mpirun's own word
        Assert.Contains(runs.Names("parts/steps"), name =>
            name.StartsWith("step-", StringComparison.Ordinal) && name.EndsWith('4'));
        (code, said) = await runs.TwoAsync("parts", MpiRuns.Sums);
        Assert.True(code == 0, said);
        Assert.Equal((await whole.RunAsync()).Weights("whole"), runs.Weights("parts"));
    }

    [SkippableFact]
    [Trait("Length", "long")]
    public async Task Each_process_has_its_own_dropout_mask_and_a_resumed_run_is_bit_identical()
    {
        RequireMpi();
        const string Last = MpiRuns.Sums + """

            System.IO.File.WriteAllText($"{place}.drawn{workers.Rank}", string.Join(' ', nn.functional.dropout(ones(64), 0.5).data<float>()));
            """;
        var (code, said) = await runs.TwoAsync("dropout", Last, dropout: 0.3);
        Assert.True(code == 0, said);
        Directory.Move(runs.PathTo("dropout/steps/step-00000004"),
            Path.Combine(Directory.CreateDirectory(runs.PathTo("parts/steps")).FullName, "step-00000004"));
        (code, said) = await runs.TwoAsync("parts", Last, dropout: 0.3);
        Assert.True(code == 0, said);
        string Drawn(string name, int rank) => File.ReadAllText(runs.PathTo($"{name}/steps.drawn{rank}"));
        Assert.NotEqual(Drawn("dropout", 0), Drawn("dropout", 1));
        foreach (var rank in new[] { 0, 1 }) Assert.Equal(Drawn("dropout", rank), Drawn("parts", rank));
        Assert.Equal(runs.Weights("dropout"), runs.Weights("parts"));
    }

    private static void RequireMpi() => Skip.IfNot(File.Exists("/usr/bin/mpirun"), "Open MPI is not installed (see .ci/run).");

    /// <summary>The study in two processes from its first step to its last, run once, when it is first asked for.</summary>
    public sealed class WholeRun : IDisposable
    {
        private readonly MpiRuns runs = new();

        internal string Said { get; private set; } = "";

        internal async Task<MpiRuns> RunAsync()
        {
            if (Said.Length > 0) return runs;
            var (code, said) = await runs.TwoAsync("whole", MpiRuns.Sums);
            Assert.True(code == 0, said);
            Said = said;
            return runs;
        }

        public void Dispose() => runs.Dispose();
    }
}
