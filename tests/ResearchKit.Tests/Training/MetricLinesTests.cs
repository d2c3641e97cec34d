using ResearchKit.Tests.Kernel;
using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

/// <summary>Reports as lines of JSON: whole, in order, each step once.</summary>
public sealed class MetricLinesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private string Path => folder.PathTo("run/metrics.jsonl");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Reports_are_written_read_back_and_passed_on()
    {
        StepReport[] reports =
        [
            Step(1) with { Norms = [new ModuleNorms("h.0", 1.5, 2, null)], Waited = TimeSpan.FromMilliseconds(2.5) },
            Step(2) with { Loss = double.NaN, GradientNorm = double.PositiveInfinity, Skipped = true, OperationsPerTarget = 1e9 },
            Step(3) with { HeldOutLoss = 1.25 },
        ];
        Assert.Equal(reports, reports.WriteTo(Path));
        var read = MetricLines.Read(Path);
        Assert.Equal(reports[0].Norms, read[0].Norms);
        Assert.Equal(reports.Select(report => report with { Norms = null }), read.Select(report => report with { Norms = null }));
        Assert.StartsWith("{\"step\":1,\"steps\":10,\"loss\":2.5,", File.ReadLines(Path).First(), StringComparison.Ordinal);
        Assert.DoesNotContain("left", File.ReadAllText(Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_line_is_in_the_file_before_its_report_is_returned()
    {
        foreach (var report in Steps(0, 5).WriteTo(Path)) Assert.Equal(report.Step, MetricLines.Read(Path).Count);
    }

    [Fact]
    public void After_a_resume_each_step_is_in_the_file_once()
    {
        foreach (var _ in Steps(0, 7).WriteTo(Path)) { }
        File.AppendAllText(Path, "{\"step\":8,\"lo");   // a kill in the middle of a line
        Assert.Equal(7, MetricLines.Read(Path).Count);
        foreach (var _ in Steps(4, 9).WriteTo(Path)) { }
        Assert.Equal(Enumerable.Range(1, 9), MetricLines.Read(Path).Select(report => report.Step));
        Assert.Equal([0, 0, 0, 0, 4, 4, 4, 4, 4], MetricLines.Read(Path).Select(report => report.FirstStep));
    }

    [Theory]
    [InlineData(3)]   // goes on behind the line that was not ended
    [InlineData(2)]   // takes its step again
    public void A_last_line_without_a_line_end_is_completed_once(int resumedFrom)
    {
        foreach (var _ in Steps(0, 3).WriteTo(Path)) { }
        var whole = File.ReadAllText(Path);
        File.WriteAllText(Path, whole[..^1]);
        Assert.Equal(3, MetricLines.Read(Path).Count);
        foreach (var _ in Steps(resumedFrom, 5).WriteTo(Path)) { }
        Assert.Equal([1, 2, 3, 4, 5], MetricLines.Read(Path).Select(report => report.Step));
        Assert.StartsWith(string.Concat(whole.Split('\n')[..resumedFrom].Select(line => line + "\n")), File.ReadAllText(Path),
            StringComparison.Ordinal);
        Assert.All(File.ReadAllText(Path).TrimEnd('\n').Split('\n'), line =>
            Assert.StartsWith("{\"step\":", line, StringComparison.Ordinal));
        Assert.EndsWith("}\n", File.ReadAllText(Path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_run_renames_the_file_of_an_earlier_one()
    {
        for (var run = 1; run <= 3; run++) foreach (var _ in Steps(0, run).WriteTo(Path)) { }
        Assert.Equal([1, 2, 3],
            new[] { "metrics.1.jsonl", "metrics.2.jsonl", "metrics.jsonl" }.Select(name =>
            MetricLines.Read(folder.PathTo($"run/{name}")).Count));
    }

    [Fact]
    public void Two_runs_cannot_write_one_file()
    {
        using var first = Steps(0, 3).WriteTo(Path).GetEnumerator();
        Assert.True(first.MoveNext());
        Assert.Contains(Path, Assert.Throws<IOException>(() => Steps(0, 3).WriteTo(Path).Count()).Message,
            StringComparison.Ordinal);
        Assert.True(first.MoveNext());
        Assert.Equal(2, MetricLines.Read(Path).Count);
    }

    [Fact]
    public void The_error_names_a_damaged_line()
    {
        var file = folder.File("damaged.jsonl", "{\"step\":1}\nstep two\n{\"step\":3}\n");
        Assert.Contains("line 2: expected a step's report as JSON, found \"step two\"",
            Assert.Throws<InvalidDataException>(() => MetricLines.Read(file)).Message, StringComparison.Ordinal);
    }

    private static StepReport Step(int number) => new(number, 10, 2.5, 1e-3, 0.5, 1000, TimeSpan.FromSeconds(number));

    private static IEnumerable<StepReport> Steps(int first, int last) =>
        Enumerable.Range(first + 1, last - first).Select(number => Step(number) with { FirstStep = first });
}
