using System.Text.Json;
using ResearchKit.Data;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

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
    public void It_holds_what_is_needed_to_run_again()
    {
        var record = RunRecord.Start("a study", 7, new { steps = 12, name = "x < y" }, DataSets.Open("austen"));
        record.Measure("held-out loss", 1.5, "nats per character");
        record.Measure("worst", double.PositiveInfinity, "nats");
        var json = JsonDocument.Parse(File.ReadAllText(record.Save())).RootElement;

        Assert.Equal(12, json.GetProperty("settings").GetProperty("steps").GetInt32());
        Assert.Equal("x < y", json.GetProperty("settings").GetProperty("name").GetString());
        Assert.Equal(7, json.GetProperty("seed").GetInt64());
        Assert.Equal(64, json.GetProperty("data").GetProperty("austen/emma.txt.gz").GetString()!.Length);
        Assert.Equal(1.5, json.GetProperty("metrics").GetProperty("held-out loss").GetProperty("value").GetDouble());
        Assert.Equal("2.10.0", json.GetProperty("packages").GetProperty("libtorch").GetString());
        Assert.NotEmpty(json.GetProperty("machine").GetProperty("processor").GetString()!);
        Assert.False(json.TryGetProperty("folder", out _));
        Assert.Equal(["record.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Contains("held-out loss 1.5 nats per character", record.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_saved_is_read()
    {
        var record = RunRecord.Start("a study", -7, new { steps = 12, rate = 1e-3, name = "x", fast = true, sizes = new[] { 1, 2 } }) with { Commit = null };
        record.Measure("loss", double.NaN, "nats");
        record.Save();
        foreach (var path in new[] { folder.Path, folder.PathTo("record.json") })
        {
            var read = RunRecord.Read(path);
            Assert.Equal((record.Name, record.Started, record.Seed, null, record.Folder), (read.Name, read.Started, read.Seed, read.Commit, read.Folder));
            Assert.Equal(new object[] { 12L, 1e-3, "x", true }, read.Settings.Values.Take(4));
            Assert.Equal(new object[] { 1L, 2L }, read.Settings["sizes"]);
            Assert.Equal(record.Metrics, read.Metrics);
            Assert.Equal(record.Machine, read.Machine);
            Assert.Equal(record.Packages, read.Packages);
        }
    }

    [Fact]
    public void Metrics_go_beside_the_record()
    {
        var record = RunRecord.Start("study", 1, new { });
        Assert.Equal(folder.Path, record.Folder);
        foreach (var name in new[] { "adamw", "lr-0.001", "metrics", "metrics" })
            foreach (var _ in Steps(3).WriteTo(record, name)) { }
        Assert.True(File.Exists(folder.PathTo("metrics.1.jsonl")));
        Assert.Equal(["adamw", "lr-0.001", "metrics"], record.SeriesNames());
        Assert.Equal(("study: adamw", 3), (record.Series("adamw").Name, record.Series("adamw").Reports.Count));
        Assert.Equal("study", record.Series().Name);
        Assert.Contains("it has adamw, lr-0.001, metrics", Assert.Throws<FileNotFoundException>(() => record.Series("lion")).Message, StringComparison.Ordinal);
        Assert.Contains("../other", Assert.Throws<ArgumentException>(() => Steps(3).WriteTo(record, "../other")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_that_begin_together_have_a_folder_each()
    {
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, null);
        var here = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(folder.Path);
        try
        {
            var first = RunRecord.Start("study", 1, new { });
            var second = first with { Seed = 2, Folder = RunFolders.Make(first.Name, first.Started) };
            Assert.NotEqual(Path.GetDirectoryName(first.Save()), Path.GetDirectoryName(second.Save()));
            Assert.Equal(Path.GetDirectoryName(first.Save()), first.Folder);
            Assert.Equal(1, RunRecord.Read(first.Folder).Seed);
            Assert.Equal(Path.Combine("runs", "study"), Path.GetRelativePath(Directory.GetCurrentDirectory(), Path.GetDirectoryName(second.Folder)!));
        }
        finally
        {
            Directory.SetCurrentDirectory(here);
        }
    }

    [Theory]
    [InlineData("{\"name\": \"a\",\n nonsense}", "record.json, line 2: expected JSON.")]
    [InlineData("[]", "record.json: expected the record of a run, found a list.")]
    [InlineData("{\"name\": \"a\", \"started\": \"2026-01-01T00:00:00Z\", \"settings\": {}}", "has \"seed\", \"data\"; not found here.")]
    [InlineData("{\"name\": \"a\", \"started\": \"yesterday\", \"settings\": {}, \"seed\": 1, \"data\": {}}", "what stands at $.started is not")]
    [InlineData("{\"name\": null, \"started\": \"2026-01-01T00:00:00Z\", \"settings\": {}, \"seed\": 1, \"data\": {}}", "what stands at $.name is not")]
    [InlineData("{\"name\": \"a\", \"started\": \"2026-01-01T00:00:00Z\", \"settings\": {}, \"seed\": 1, \"data\": {}, \"metrics\": {\"loss\": 3}}", "what stands at $.metrics.loss is not")]
    [InlineData("{\"name\": \"a\", \"started\": \"2026-01-01T00:00:00Z\", \"settings\": {}, \"seed\": 1, \"data\": {}, \"metrics\": {\"loss\": {\"value\": 3}}}", "what stands at $.metrics.loss is not")]
    public void What_is_no_record_is_refused_with_the_place(string json, string said)
    {
        folder.File("record.json", json);
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => RunRecord.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_is_not_there_is_named() =>
        Assert.Contains(folder.PathTo("record.json"), Assert.Throws<FileNotFoundException>(() => RunRecord.Read(folder.Path)).Message, StringComparison.Ordinal);

    private static IEnumerable<StepReport> Steps(int last) =>
        Enumerable.Range(1, last).Select(step => new StepReport(step, last, 2.5, 1e-3, 0.5, 1000, TimeSpan.FromSeconds(step)));
}
