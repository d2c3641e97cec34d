using System.Globalization;
using ResearchKit.Tests.Kernel;
using ResearchKit.Tests.Packaging;

namespace ResearchKit.Tests.Distributed;

/// <summary>Two processes under Open MPI's mpirun.</summary>
public sealed class MpirunTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A small GPT by SGD on a batch of 8; the processes share it. The cell after it is the test's.</summary>
    private const string Study = """
        using ResearchKit.Data;
        using ResearchKit.Distributed;
        using ResearchKit.Models;
        using ResearchKit.Native;
        using ResearchKit.Optimizers;
        using ResearchKit.Training;
        using static TorchSharp.torch;
        var workers = MpiWorkers.Start();
        Compute.Seed(3);
        Compute.Threads = 1;
        var text = Enumerable.Range(0, 2000).Select(i => (long)(i * i % 61)).ToArray();
        var model = new Gpt(GptConfig.Nano with { Dropout = dropout });
        var trainer = new Trainer(model, Losses.CrossEntropy,
            new BatchLoader(new TextWindows(text, 16), 8 / workers.Count, share: workers.Rank, shares: workers.Count), new TrainerOptions
            {
                Steps = steps, Schedule = _ => 1e-2, Workers = workers, Optimizer = parameters => new FusedSgd(parameters, new FusedSgdOptions()),
                Checkpoints = new(place, 2) { Keep = 2 },
            });
        if (System.IO.Directory.Exists(place)) trainer.Resume(place);
        """;

    private const string Sums = """
        foreach (var report in trainer.Run()) { }
        if (workers.Rank == 0) System.IO.File.WriteAllText(place + ".weights", string.Join(' ', model.parameters().Select(parameter => parameter.detach().@double().square().sum().item<double>().ToString("R"))));
        """;

    [SkippableFact]
    public async Task Two_processes_give_what_one_gives_and_the_first_alone_writes()
    {
        RequireMpi();
        var notebook = Notebook(Sums);
        var (aloneCode, alone) = await DotNet.RunAsync("dotnet", folder.Path, [.. Run(notebook, "alone", steps: 4)]);
        Assert.True(aloneCode == 0, alone);
        var (code, said) = await TwoAsync(notebook, "two", steps: 4);
        Assert.True(code == 0, said);
        Assert.Equal(Names("alone/out"), Names("two/out"));
        Assert.Equal(Names("alone/steps"), Names("two/steps"));
        Assert.Single(said.Split('\n'), line => line.StartsWith("cell 4 of 4: succeeded", StringComparison.Ordinal));
        var (expected, actual) = (Weights("alone"), Weights("two"));
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], tolerance: 1e-5 * Math.Max(1, expected[i]));
    }

    [SkippableFact]
    public async Task A_process_that_fails_ends_the_job_with_its_number_and_reason_and_the_last_checkpoint_resumes()
    {
        RequireMpi();
        var failing = Notebook("""
            foreach (var report in trainer.Run())
                if (report.Step == 5 && workers.Rank == 1) throw new InvalidOperationException("the second is out of sorts");
            """);
        var (code, said) = await TwoAsync(failing, "parts", steps: 8);
        Assert.NotEqual(0, code);
        Assert.Contains("Process 1 of 2: ", said, StringComparison.Ordinal);
        Assert.Contains("the second is out of sorts", said, StringComparison.Ordinal);
        await ResumedEqualsWholeAsync();
    }

    [SkippableFact]
    public async Task A_process_that_is_killed_ends_the_job_and_the_last_checkpoint_resumes()
    {
        RequireMpi();
        var dying = Notebook("""
            foreach (var report in trainer.Run())
                if (report.Step == 5 && workers.Rank == 1) System.Diagnostics.Process.GetCurrentProcess().Kill();
            """);
        var (code, said) = await TwoAsync(dying, "parts", steps: 8);
        Assert.NotEqual(0, code);
        Assert.Contains("rank 1", said, StringComparison.Ordinal);   // mpirun's own word
        await ResumedEqualsWholeAsync();
    }

    [SkippableFact]
    public async Task Each_process_drops_out_places_of_its_own_and_a_resumed_run_ends_with_the_same_bits()
    {
        RequireMpi();
        var notebook = Notebook(Sums + """

            System.IO.File.WriteAllText($"{place}.drawn{workers.Rank}", string.Join(' ', nn.functional.dropout(ones(64), 0.5).data<float>()));
            """);
        foreach (var (name, steps) in new[] { ("whole", 8), ("parts", 4), ("parts", 8) })
        {
            var (code, said) = await TwoAsync(notebook, name, steps, dropout: 0.3);
            Assert.True(code == 0, said);
        }
        string Drawn(string name, int rank) => File.ReadAllText(folder.PathTo($"{name}/steps.drawn{rank}"));
        Assert.NotEqual(Drawn("whole", 0), Drawn("whole", 1));
        foreach (var rank in new[] { 0, 1 }) Assert.Equal(Drawn("whole", rank), Drawn("parts", rank));
        Assert.Equal(Weights("whole"), Weights("parts"));
    }

    private async Task ResumedEqualsWholeAsync()
    {
        Assert.Contains(Names("parts/steps"), name => name.StartsWith("step-", StringComparison.Ordinal) && name.EndsWith('4'));
        var notebook = Notebook(Sums);
        var (code, said) = await TwoAsync(notebook, "parts", steps: 8);
        Assert.True(code == 0, said);
        (code, said) = await TwoAsync(notebook, "whole", steps: 8);
        Assert.True(code == 0, said);
        Assert.Equal(Weights("whole"), Weights("parts"));
    }

    private string Notebook(string last) => folder.File("run.ipynb", TestNotebook.Of(
        TestNotebook.Code("var place = \"\"; var steps = 4; var dropout = 0.0;", "parameters"), TestNotebook.Code(Study), TestNotebook.Code(last)));

    private string[] Run(string notebook, string name, int steps, double dropout = 0) =>
        [Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"), "run", notebook, "-p", $"place={folder.PathTo($"{name}/steps")}",
            "-p", string.Create(CultureInfo.InvariantCulture, $"steps={steps}"), "-p", string.Create(CultureInfo.InvariantCulture, $"dropout={dropout}"), "--output", folder.PathTo($"{name}/out")];

    private Task<(int Code, string Said)> TwoAsync(string notebook, string name, int steps, double dropout = 0) => DotNet.RunAsync("mpirun", folder.Path,
        ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", "2", "dotnet", .. Run(notebook, name, steps, dropout)], ("OMP_NUM_THREADS", "1"));

    /// <summary>The sum of squares of each parameter.</summary>
    private double[] Weights(string name) =>
        [.. File.ReadAllText(folder.PathTo($"{name}/steps.weights")).Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    private string[] Names(string place) => [.. Directory.EnumerateFileSystemEntries(folder.PathTo(place)).Select(path => Path.GetFileName(path)!).Order()];

    private static void RequireMpi() => Skip.IfNot(File.Exists("/usr/bin/mpirun"), "Open MPI is not installed (see .ci/run).");
}
