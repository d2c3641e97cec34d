using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

/// <summary>Several writers of one record: none loses the part of another.</summary>
[Collection(OtherPrograms.Name)]
public sealed class RunFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Concurrent_updates_by_threads_lose_nothing()
    {
        Host();
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 8 }, number =>
            RunFile.Update(folder.Path, record => record! with { Runs = [.. record.Runs, Entry($"{number}")] }));
        Assert.Equal(Enumerable.Range(0, 40), RunRecord.Read(folder.Path).Runs.Select(run => int.Parse(run.Name, null)).Order());
        Assert.Equal(["run.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Concurrent_updates_by_processes_lose_nothing_and_describe_each_process()
    {
        Host();
        var probes = Enumerable.Range(0, 3).Select(_ => Task.Run(() => Probe())).ToList();
        for (var save = 0; probes.Any(probe => !probe.IsCompleted); save++)
        {
            var seconds = save;
            RunFile.Update(folder.Path, record => record! with { Seconds = seconds });
            await Task.Delay(20);
        }
        Assert.All(await Task.WhenAll(probes), probe => Assert.True(probe.ExitCode == 0, probe.Errors));
        var record = RunRecord.Read(folder.Path);
        Assert.Equal(("host", "notebook.ipynb"), (record.Process.Id, record.Notebook));
        Assert.Equal(3, record.Runs.Select(run => run.Process!.Id).Distinct().Count());
        Assert.All(record.Runs, run => Assert.Equal(RecordProbe.Saves, run.Metrics["saves"].Value));
        Assert.All(record.Runs, run => Assert.Equal(2, run.Series().Reports.Count));
    }

    [Fact]
    public void Only_the_first_rank_writes()
    {
        var second = Probe(("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2"));
        Assert.True(second.ExitCode == 0, second.Errors);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
        var first = Probe(("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2"));
        Assert.True(first.ExitCode == 0, first.Errors);
        Assert.Equal(2, Assert.Single(RunRecord.Read(folder.Path).Runs).Series().Reports.Count);
    }

    [Theory]
    [InlineData("{\"schema\": 1, \"started\": ", "expected JSON")]
    [InlineData("{\"schema\": 2, \"started\": 0, \"process\": 0, \"runs\": 0}", "has schema 2; ")]
    public void A_damaged_record_is_kept_under_another_name_and_noted_in_the_new_one(string damaged, string why)
    {
        folder.File("run.json", damaged);
        folder.File("run.damaged-1.json", "another");
        Host();
        Assert.Equal(damaged, File.ReadAllText(folder.PathTo("run.damaged-2.json")));
        var note = Assert.Single(RunRecord.Read(folder.Path).Notes!);
        Assert.StartsWith("The record could not be read and is kept as run.damaged-2.json. ", note, StringComparison.Ordinal);
        Assert.Contains(why, note, StringComparison.Ordinal);
        RunFile.Update(folder.Path, record => record! with { Seconds = 1 });
        Assert.Single(RunRecord.Read(folder.Path).Notes!);
    }

    [Fact]
    public void A_failing_update_leaves_the_record_unchanged()
    {
        Host();
        var before = File.ReadAllText(folder.PathTo("run.json"));
        Assert.Throws<InvalidOperationException>(() => RunFile.Update(folder.Path, _ => throw new InvalidOperationException()));
        Assert.Equal(before, File.ReadAllText(folder.PathTo("run.json")));
        RunFile.Update(folder.Path, record => record!);   // the lock is free
        Assert.Equal(before, File.ReadAllText(folder.PathTo("run.json")));
    }

    private void Host() => RunFile.Update(folder.Path, _ => new RunRecord
    {
        Started = DateTime.UnixEpoch,
        Notebook = "notebook.ipynb",
        Process = new RunProcess { Id = "host" },
        Runs = [],
    });

    private static TrainingRun Entry(string name) => new()
    {
        Name = name,
        Started = DateTime.UnixEpoch,
        Seed = 1,
        Settings = new Dictionary<string, object> { ["rate"] = 0.5 },
    };

    private ProbeProcess Probe(params (string Name, string? Value)[] variables) =>
        ProbeProcess.Run("record", [(RunRecord.FolderVariable, folder.Path), .. variables]);
}
