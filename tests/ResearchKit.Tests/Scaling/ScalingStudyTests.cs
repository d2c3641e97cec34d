using ResearchKit.Data;
using ResearchKit.Scaling;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Scaling;

public class ScalingStudyTests
{
    private static readonly StudySize[] Sizes = [new("narrow", 20, 120), new("wide", 60, 360)];
    private int made;

    [Fact]
    public void A_budget_that_is_added_later_repeats_nothing()
    {
        using var folder = new TemporaryFolder();
        var study = Study(folder.Path);
        var first = study.Run(Sizes, [24_000]);
        Assert.Equal(2, made);
        Assert.All(first.Points, point => Assert.True(point.Loss > 0));
        Assert.Equal(200, first.Runs[0].Run.Tokens);
        var second = study.Run(Sizes, [24_000, 48_000]);
        Assert.Equal(4, made);
        Assert.Equal(first.Points, second.Points.Take(2));
        Assert.Empty(second.Missing);
        Assert.Contains("narrow", second.Table().Rows[0]);
    }

    [Fact]
    public void Processes_share_the_runs()
    {
        using var folder = new TemporaryFolder();
        var one = Study(folder.Path, new ProcessRank(0, 2)).Run(Sizes, [24_000]);
        Assert.Equal(["narrow"], one.Runs.Select(run => run.Run.Size.Name));
        Assert.Equal(["wide"], one.Missing.Select(run => run.Size.Name));
        var other = Study(folder.Path, new ProcessRank(1, 2)).Run(Sizes, [24_000]);
        Assert.Equal(2, other.Runs.Count);
        Assert.Equal(2, made);
    }

    [Fact]
    public void Runs_of_other_data_are_refused()
    {
        using var folder = new TemporaryFolder();
        Study(folder.Path).Run(Sizes, [24_000]);
        var error = Assert.Throws<InvalidDataException>(() => Study(folder.Path, data: "noise").Run(Sizes, [24_000]));
        Assert.Contains("data lines", error.Message, StringComparison.Ordinal);
        Assert.Contains("data noise", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Study(folder.Path).Run([Sizes[0], Sizes[1] with { Name = "narrow" }], [24_000]));
    }

    private ScalingStudy Study(string folder, ProcessRank? rank = null, string data = "lines") =>
        new(Path.Combine(folder, "ladder"), data, Trainer) { Rank = rank ?? new(0, 1) };

    private Trainer Trainer(StudyRun run)
    {
        made++;
        var model = nn.Linear(4, run.Size.Name == "wide" ? 12 : 4);
        var x = randn(32, 4);
        var examples = new TensorExamples(x, zeros([32], int64));
        return new Trainer(model, Losses.CrossEntropy, new BatchLoader(examples, 10), new TrainerOptions
        {
            Steps = run.Steps(10),
            WarmupSteps = 0,
            Checkpoints = run.Checkpoints(),
        }, examples);
    }

    [Fact]
    public void A_plan_follows_from_a_budget_or_from_minutes()
    {
        var law = ParametricLaw.Epoch;
        var bands = new FitBands(law, [law, law with { E = 1.80 }, law with { E = 1.83 }]);
        var plan = ComputePlan.FromOperations(1e19, bands);
        Assert.Equal(law.Optimum(1e19).Parameters, plan.Parameters, 1.0);
        Assert.Equal(1e19, 6 * plan.Parameters * plan.Tokens, 1e6);
        Assert.True(plan.Loss.Low < plan.Loss.Value && plan.Loss.Value < plan.Loss.High);
        Assert.Equal(plan.Tokens, plan.Steps * plan.Settings.BatchTokens, plan.Settings.BatchTokens);
        var timed = ComputePlan.FromMinutes(10, 1e19 / 600, bands);
        Assert.Equal(plan.Parameters, timed.Parameters, 1.0);
        Assert.Equal(10, timed.Minutes);
        var small = ComputePlan.FromOperations(1e19, bands, new PlannedSettings(1e5, 1e-3).WithBatch(4e5), parameters: 1e8);
        Assert.Equal(2e-3, small.Settings.LearningRate, 12);
        Assert.Equal(1e19 / 6e8, small.Tokens, 1.0);
        Assert.True(small.Loss.Value > plan.Loss.Value);
    }
}
