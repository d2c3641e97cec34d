using System.Globalization;
using ResearchKit.Results;

namespace ResearchKit.Scaling;

/// <summary>What a study has measured so far.</summary>
/// <param name="Name">Name of the study.</param>
/// <param name="Runs">The runs that are done, with their points.</param>
/// <param name="Missing">Runs that are not done: other processes still train them, or they failed.</param>
public sealed record StudyResult(string Name, IReadOnlyList<(StudyRun Run, ScalingPoint Point)> Runs,
    IReadOnlyList<StudyRun> Missing)
{
    /// <summary>The points of the runs, for a fit.</summary>
    public IReadOnlyList<ScalingPoint> Points => [.. Runs.Select(run => run.Point)];

    /// <summary>The points with the mean loss of all seeds of a size and budget.</summary>
    public IReadOnlyList<ScalingPoint> MeanPoints => [.. Runs.GroupBy(run => (run.Run.Size, run.Run.Operations))
        .Select(seeds => seeds.First().Point with { Loss = seeds.Average(run => run.Point.Loss) })];

    /// <summary>A row for each run.</summary>
    public ResultTable Table() => new(["size", "parameters", "operations", "tokens", "seed", "held-out loss"],
        [.. Runs.Select(run => (IReadOnlyList<object?>)[run.Run.Size.Name, run.Run.Size.Parameters, run.Run.Operations,
            run.Point.Tokens, run.Run.Seed, run.Point.Loss])]);

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Runs.Select(run => string.Create(CultureInfo.InvariantCulture,
        $"  {run.Run}: loss {run.Point.Loss:0.0000}")).Prepend($"{Name}: {Runs.Count} runs"
            + (Missing.Count > 0 ? $", {Missing.Count} missing" : "")));
}
