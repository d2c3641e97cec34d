using System.Text.Json;
using ResearchKit.Data;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

public sealed class RunRecordTests
{
    [Fact]
    public void It_holds_what_is_needed_to_run_again()
    {
        var folder = Directory.CreateTempSubdirectory("record-").FullName;
        var before = Environment.GetEnvironmentVariable(RunRecord.FolderVariable);
        Environment.SetEnvironmentVariable(RunRecord.FolderVariable, folder);
        try
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
            Assert.Equal(["record.json"], Directory.GetFiles(folder).Select(Path.GetFileName));
            Assert.Contains("held-out loss 1.5 nats per character", record.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(RunRecord.FolderVariable, before);
            Directory.Delete(folder, recursive: true);
        }
    }
}
