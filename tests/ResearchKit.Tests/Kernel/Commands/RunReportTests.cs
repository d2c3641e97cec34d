using System.Text.Json.Nodes;
using System.Xml.Linq;
using ResearchKit.Kernel.Cells;
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
        var error = await CrashedRun.CompleteAsync(run, notebook, "signal 6", "no memory");
        Assert.Equal("crashed", RunRecord.Read(run.Record).Status);
        Assert.Empty(RunRecord.Read(run.Record).Cells!);
        Assert.Equal("The process of the run ended before its first cell: signal 6.", error!.Message);
        Assert.Equal([error.Message, "no memory"], error.Traceback);
        var report = RunReport.Read("study", notebook, run);
        Assert.Equal(RunStatus.Crashed, report.Status);
        Assert.Empty(report.Failed);
    }

    [Fact]
    public async Task One_that_ended_in_its_first_cell_is()
    {
        var run = Begun(seconds: 0.5);
        Assert.Null(await CrashedRun.CompleteAsync(run, notebook, "signal 6", ""));
        Assert.Equal(1, Assert.Single(RunReport.Read("study", notebook, run).Failed).Number);
    }

    [Fact]
    public async Task One_that_ended_before_it_wrote_anything_is_not_either()
    {
        var run = RunFolder.For(notebook, folder.PathTo("nothing"), default);
        var error = await CrashedRun.CompleteAsync(run, notebook, "exit code 3", "no space");
        Assert.Equal("The process of the run ended before its first cell: exit code 3.", error!.Message);
        Assert.False(Directory.Exists(run.FullPath));
    }

    [Fact]
    public void JUnit_lists_the_process_as_a_case_of_its_own()
    {
        var report = RunReport.Read("study", notebook, RunFolder.For(notebook, folder.PathTo("nothing"), default)) with
        {
            Error = new ErrorOutput(CrashedRun.ErrorName, "no memory", []),
        };
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
