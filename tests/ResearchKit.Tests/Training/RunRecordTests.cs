using System.Text.Json;
using ResearchKit.Data;
using ResearchKit.Native;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

/// <summary>The record of a run that a program hosts: what it holds, and how it is read.</summary>
public sealed class RunRecordTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string? before = Environment.GetEnvironmentVariable(RunRecord.FolderVariable);

    public RunRecordTests() => Environment.SetEnvironmentVariable(RunRecord.FolderVariable, folder.Path);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, before);
        folder.Dispose();
    }

    [Fact]
    public void A_record_holds_what_is_needed_to_repeat_the_run()
    {
        var run = RunRecord.Start("a study", 7, new { steps = 12, name = "x < y" }, DataSets.Open("austen"));
        run.Measure("held-out loss", 1.5, "nats per character");
        run.Measure("worst", double.PositiveInfinity, "nats");
        var json = JsonDocument.Parse(File.ReadAllText(run.Save())).RootElement;
        var (process, entry) = (json.GetProperty("process"), json.GetProperty("runs")[0]);

        Assert.Equal(1, json.GetProperty("schema").GetInt32());
        Assert.Equal(12, entry.GetProperty("settings").GetProperty("steps").GetInt32());
        Assert.Equal("x < y", entry.GetProperty("settings").GetProperty("name").GetString());
        Assert.Equal(7, entry.GetProperty("seed").GetInt64());
        Assert.Equal("austen", entry.GetProperty("data")[0].GetString());
        Assert.Equal(1.5, entry.GetProperty("metrics").GetProperty("held-out loss").GetProperty("value").GetDouble());
        Assert.Equal("Infinity", entry.GetProperty("metrics").GetProperty("worst").GetProperty("value").GetString());
        Assert.Equal(64, process.GetProperty("data").GetProperty("austen/emma.txt.gz").GetString()!.Length);
        Assert.Equal("2.10.0", process.GetProperty("packages").GetProperty("libtorch").GetString());
        Assert.NotEmpty(process.GetProperty("machine").GetProperty("processor").GetString()!);
        Assert.Equal(Compute.Portable, process.GetProperty("portable").GetBoolean());
        Assert.True(KernelTable.FromDescription(RunRecord.Read(folder.Path).Process.Kernels).ChoosesAs(Compute.Kernels));
        Assert.False(entry.TryGetProperty("folder", out _));
        Assert.False(entry.TryGetProperty("process", out _));
        Assert.False(json.TryGetProperty("notebook", out _));
        Assert.Equal(["run.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Contains("held-out loss 1.5 nats per character", run.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_saved_record_is_read_back()
    {
        var settings = new { steps = 12, rate = 1e-3, name = "x", fast = true, sizes = new[] { 1, 2 } };
        var run = RunRecord.Start("a study", -7, settings);
        run.Measure("loss", double.NaN, "nats");
        run.Save();
        foreach (var path in new[] { folder.Path, folder.PathTo("run.json") })
        {
            var record = RunRecord.Read(path);
            var read = Assert.Single(record.Runs);
            Assert.Equal(("a study", run.Run.Started, -7L, folder.Path), (read.Name, read.Started, read.Seed, read.Folder));
            Assert.Equal((run.Process.Commit, null), (record.Process.Commit, record.Status));
            Assert.Equal(new object[] { 12L, 1e-3, "x", true }, read.Settings.Values.Take(4));
            Assert.Equal(new object[] { 1L, 2L }, read.Settings["sizes"]);
            Assert.Equal(run.Metrics, read.Metrics);
            Assert.Equal(run.Process.Machine, record.Process.Machine);
            Assert.Equal(run.Process.Packages, record.Process.Packages);
            Assert.Same(record.Process, record.ProcessOf(read));
        }
    }

    [Fact]
    public void A_run_is_on_disk_from_its_start_and_a_record_that_was_read_does_not_change()
    {
        var run = RunRecord.Start("study", 1, new { steps = 3 });
        var (record, value) = (RunRecord.Read(folder.Path), run.Run);
        Assert.Equal(3L, record.Runs[0].Settings["steps"]);
        run.Measure("loss", 1, "nats");
        run.Save();
        Assert.Empty(record.Runs[0].Metrics);
        Assert.Empty(value.Metrics);
        Assert.Equal(new Measurement(1, "nats"), RunRecord.Read(folder.Path).Runs[0].Metrics["loss"]);
    }

    [Fact]
    public void Several_runs_share_a_record_and_each_keeps_its_metrics()
    {
        var runs = new[] { 1, 2, 3 }.Select(seed => RunRecord.Start("study", seed, new { steps = 3 })).ToList();
        foreach (var run in runs)
        {
            foreach (var _ in Steps(3).WriteTo(run)) { }
            run.Measure("loss", run.Run.Seed, "nats");
            run.Save();
        }
        var read = RunRecord.Read(folder.Path).Runs;
        Assert.Equal([(1, 1), (2, 2), (3, 3)], read.Select(run => (run.Seed, run.Metrics["loss"].Value)));
        Assert.Equal(["metrics.jsonl", "metrics-2.jsonl", "metrics-3.jsonl"], read.Select(run => run.History["metrics"]));
        Assert.All(read, run => Assert.Equal(3, run.Series().Reports.Count));
    }

    [Fact]
    public void A_run_started_by_an_earlier_process_continues_in_its_files()
    {
        var earlier = new TrainingRun
        {
            Name = "study",
            Started = DateTime.UnixEpoch,
            Seed = 1,
            Settings = new Dictionary<string, object> { ["rate"] = 0.5 },
            History = new Dictionary<string, string> { ["metrics"] = "metrics.jsonl" },
        };
        var process = new RunProcess { Id = "earlier", Commit = "0" };
        RunFile.Update(folder.Path, _ => new RunRecord { Started = earlier.Started, Process = process, Runs = [earlier] });
        foreach (var _ in Steps(2).WriteTo(RunRecord.Start("study", 1, new { rate = 0.5 }))) { }
        foreach (var _ in Steps(2).WriteTo(RunRecord.Start("study", 2, new { rate = 0.5 }))) { }
        var record = RunRecord.Read(folder.Path);
        Assert.Equal(["metrics.jsonl", "metrics.jsonl", "metrics-2.jsonl"], record.Runs.Select(run => run.History["metrics"]));
        Assert.Equal("0", record.ProcessOf(record.Runs[0]).Commit);
        Assert.Equal(record.Runs[1].Process!.Id, record.Runs[2].Process!.Id);
        Assert.Contains("libtorch", record.Runs[1].Process!.Packages.Keys);
    }

    [Fact]
    public void Metric_series_are_files_next_to_the_record()
    {
        var run = RunRecord.Start("study", 1, new { });
        Assert.Equal(folder.Path, run.Folder);
        foreach (var name in new[] { "adamw", "lr-0.001", "metrics", "metrics" })
            foreach (var _ in Steps(3).WriteTo(run, name)) { }
        Assert.True(File.Exists(folder.PathTo("metrics.1.jsonl")));
        Assert.Equal(["adamw", "lr-0.001", "metrics"], run.SeriesNames());
        Assert.Equal(["adamw", "lr-0.001", "metrics"], RunRecord.Read(folder.Path).Runs[0].SeriesNames());
        Assert.Equal(("study: adamw", 3), (run.Series("adamw").Name, run.Series("adamw").Reports.Count));
        Assert.Equal("study", run.Series().Name);
        var none = Assert.Throws<FileNotFoundException>(() => run.Series("lion"));
        Assert.Contains("it has adamw, lr-0.001, metrics", none.Message, StringComparison.Ordinal);
        var refused = Assert.Throws<ArgumentException>(() => Steps(3).WriteTo(run, "../other"));
        Assert.Contains("../other", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_started_at_the_same_time_have_separate_folders()
    {
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, null);
        var here = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(folder.Path);
        try
        {
            var runs = Enumerable.Range(0, 3).Select(seed => RunRecord.Start("study", seed, new { })).ToList();
            Assert.Equal(3, runs.Select(run => run.Folder).Distinct().Count());
            Assert.Equal([0, 1, 2], runs.Select(run => Assert.Single(RunRecord.Read(run.Folder).Runs).Seed));
            var parent = Path.Combine(Directory.GetCurrentDirectory(), "runs", "study");
            Assert.All(runs, run => Assert.Equal(parent, Path.GetDirectoryName(run.Folder)));
        }
        finally
        {
            Directory.SetCurrentDirectory(here);
        }
    }

    private const string Day = "\"2026-01-01T00:00:00Z\"";
    private const string Whole = "{\"schema\": 1, \"started\": " + Day + ", \"process\": {\"id\": \"a\"}, \"runs\": [";
    private const string Run = "{\"name\": \"a\", \"started\": " + Day + ", \"settings\": {}, \"seed\": 1";

    [Theory]
    [InlineData("{\"schema\": 1,\n nonsense}", "run.json, line 2: expected JSON.")]
    [InlineData("", "run.json, line 1: expected JSON.")]
    [InlineData("[]", "run.json: expected the record of a run, found a list.")]
    [InlineData("{\"schema\": 1, \"runs\": []}", "has \"started\", \"process\"; not found here.")]
    [InlineData("{\"schema\": 2, \"started\": 0, \"process\": 0, \"runs\": 0}", "run.json has schema 2; this version")]
    [InlineData("{\"schema\": 1, \"started\": \"then\", \"process\": {\"id\": \"a\"}, \"runs\": []}",
        "value at $.started is not")]
    [InlineData("{\"schema\": 1, \"started\": " + Day + ", \"process\": {}, \"runs\": []}", "the value at $.process is not")]
    [InlineData(Whole + "{\"name\": \"a\"}]}", "the value at $.runs[0] is not")]
    [InlineData(Whole + Run + ", \"metrics\": {\"loss\": 3}}]}", "the value at $.runs[0].metrics.loss is not")]
    [InlineData(Whole + Run + ", \"metrics\": {\"loss\": {\"value\": 3}}}]}", "the value at $.runs[0].metrics.loss is not")]
    [InlineData(Whole + "null]}", "the value at $.runs is not")]
    public void A_malformed_record_is_refused_with_the_place(string json, string said)
    {
        folder.File("run.json", json);
        var refused = Assert.Throws<InvalidDataException>(() => RunRecord.Read(folder.Path));
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_names_a_missing_record()
    {
        var missing = Assert.Throws<FileNotFoundException>(() => RunRecord.Read(folder.Path));
        Assert.Contains(folder.PathTo("run.json"), missing.Message, StringComparison.Ordinal);
    }

    internal static IEnumerable<StepReport> Steps(int last) =>
        Enumerable.Range(1, last).Select(step => new StepReport(step, last, 2.5, 1e-3, 0.5, 1000, TimeSpan.FromSeconds(step)));
}
