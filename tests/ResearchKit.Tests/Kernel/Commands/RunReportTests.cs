using System.Text.Json.Nodes;
using System.Xml.Linq;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Training;

namespace ResearchKit.Tests.Kernel.Commands;

/// <summary>What is reported of a run whose process ended outside of its cells.</summary>
public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string notebook;

    public RunReportTests() =>
        notebook = folder.File("study.ipynb", TestNotebook.Of(TestNotebook.Code("1"), TestNotebook.Code("2")));

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_process_that_ended_before_its_first_cell_is_not_blamed_on_that_cell()
    {
        var run = Begun(seconds: null);
        await CrashedRun.CompleteAsync(run, notebook, "signal 6", "no memory");
        Assert.Equal("crashed", RunRecord.Read(run.Record).Status);
        Assert.Empty(RunRecord.Read(run.Record).Cells!);
        var report = RunReport.Read("study", notebook, run, "no memory");
        Assert.Equal((RunStatus.Crashed, "The run's process ended before its first cell."),
            (report.Status, report.Error!.Message));
        Assert.Equal(["no memory"], report.Error.Traceback);
        Assert.Empty(report.Failed);
    }

    [Fact]
    public async Task One_that_ended_in_its_first_cell_is()
    {
        var run = Begun(seconds: 0.5);
        await CrashedRun.CompleteAsync(run, notebook, "signal 6", "");
        var report = RunReport.Read("study", notebook, run, "");
        Assert.Equal(1, Assert.Single(report.Failed).Number);
        Assert.Null(report.Error);
    }

    [Fact]
    public void JUnit_lists_the_process_as_a_case_of_its_own()
    {
        var report = RunReport.Read("study", notebook, RunFolder.For(notebook, folder.PathTo("nothing"), default), "no memory");
        var path = folder.PathTo("junit.xml");
        JUnitReport.Write(path, [report]);
        var suite = XDocument.Load(path).Root!.Element("testsuite")!;
        Assert.Equal(("3", "1", "2"), ((string?)suite.Attribute("tests"), (string?)suite.Attribute("errors"),
            (string?)suite.Attribute("skipped")));
        Assert.Equal("process",
            (string?)suite.Elements("testcase").Single(one => one.Element("error") is not null).Attribute("name"));
    }

    private RunFolder Begun(double? seconds)
    {
        var run = RunFolder.For(notebook, folder.PathTo("out"), default);
        Directory.CreateDirectory(run.FullPath);
        var copy = JsonNode.Parse(File.ReadAllText(notebook))!;
        copy["metadata"]!["researchkit"] = new JsonObject { ["status"] = "running" };
        File.WriteAllText(run.Notebook, copy.ToJsonString());
        RunFile.Update(run.FullPath, _ => new RunRecord
        {
            Started = DateTime.UtcNow.AddSeconds(-1),
            Notebook = notebook,
            Seconds = seconds,
            Status = "running",
            Cells = [],
            Process = RunProcess.Describe(folder.Path),
            Runs = [],
        });
        return run;
    }
}
