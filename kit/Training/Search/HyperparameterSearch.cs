using System.Globalization;
using ResearchKit.Data;
using ResearchKit.Native;

namespace ResearchKit.Training;

/// <summary>
/// Searches for good settings of a run: each trial is a run with its own folder, record and checkpoints.
/// </summary>
/// <remarks>
/// <code>
/// var search = new HyperparameterSearch("runs/search", new Dictionary&lt;string, SearchRange&gt;
/// {
///     ["rate"] = SearchRange.LogBetween(1e-4, 1e-1), ["width"] = SearchRange.OneOf(16, 32, 64),
/// }, trial =&gt; new Trainer(Model(trial.Get&lt;int&gt;("width")), Objective.Classification, loader(), new TrainerOptions
/// {
///     Steps = 900, LearningRate = trial.Get&lt;double&gt;("rate"), Checkpoints = trial.Checkpoints(),
/// }, heldOut));
/// var result = search.SuccessiveHalving(trials: 27, firstSteps: 100);
/// </code>
/// The settings of a trial depend on the seed and its number alone. A search that was interrupted goes on where it was: trials
/// that are done are read from their records. A trial whose loss is not finite has failed, and the search goes on.
/// </remarks>
/// <param name="folder">Folder of the trials, <c>trial-000</c> and so on; its name is the name of the search.</param>
/// <param name="space">The settings and their values.</param>
/// <param name="make">
/// Makes the trainer of a trial, with held-out data. The search sets all random seeds before, and disposes the trainer and its
/// model.
/// </param>
public sealed class HyperparameterSearch(
    string folder, IReadOnlyDictionary<string, SearchRange> space, Func<Trial, Trainer> make)
{
    private const string StepsName = "steps";
    private readonly string folder = Path.GetFullPath(folder);
    private string measure = "held-out loss";
    private bool higherIsBetter;

    /// <summary>Seed of the settings and of each run.</summary>
    public int Seed { get; init; } = 1337;

    /// <summary>Runs every trial to its last step.</summary>
    /// <param name="trials">Number of trials.</param>
    /// <param name="progress">Receives each trial that is done.</param>
    /// <param name="cancel">Ends the search after the step at hand.</param>
    /// <remarks>Bergstra and Bengio, 2012, https://jmlr.org/papers/v13/bergstra12a.html.</remarks>
    /// <exception cref="InvalidDataException">The folder has trials of another search.</exception>
    /// <exception cref="OperationCanceledException">The search was cancelled; a later one goes on.</exception>
    public SearchResult Random(int trials, IProgress<TrialResult>? progress = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        return Result([.. Enumerable.Range(0, trials).Select(number => Advance(Draw(number), int.MaxValue, progress, cancel))]);
    }

    /// <summary>
    /// Runs every trial for a few steps, the best share of them for several times as many, and so on up to their last step.
    /// </summary>
    /// <param name="trials">Number of trials at the start.</param>
    /// <param name="firstSteps">Steps of the first round.</param>
    /// <param name="factor">One of this many trials goes on to the next round, which is this many times as long.</param>
    /// <param name="progress">Receives each trial that came to the end of a round.</param>
    /// <param name="cancel">Ends the search after the step at hand.</param>
    /// <inheritdoc cref="Random" path="/exception"/>
    /// <remarks>
    /// Jamieson and Talwalkar, 2016, https://arxiv.org/abs/1502.07943. Trials go on from their checkpoints, so that no step is
    /// taken twice. Their schedules are those of whole runs.
    /// </remarks>
    public SearchResult SuccessiveHalving(int trials, int firstSteps, int factor = 3, IProgress<TrialResult>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trials, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(firstSteps, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 2);
        var results = new Dictionary<int, TrialResult>();
        var left = Enumerable.Range(0, trials).Select(Draw).ToList();
        for (long steps = firstSteps; ; steps *= factor)
        {
            foreach (var trial in left)
                results[trial.Number] = Advance(trial, (int)Math.Min(steps, int.MaxValue), progress, cancel);
            var running = left.Where(trial => results[trial.Number].Status == RunStatusNames.Stopped).ToList();
            if (running.Count == 0) return Result([.. results.Values]);
            var kept = Math.Max(1, left.Count / factor);
            left = [.. Ordered(running.Select(trial => results[trial.Number])).Select(result => result.Trial).Take(kept)];
        }
    }

    private Trial Draw(int number)
    {
        var random = Shuffle.Random(Seed, number);
        var settings = new Dictionary<string, object>();
        foreach (var (name, range) in space) settings[name] = range.At(random.NextShare());
        return new(number, Seed, settings,
            Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"trial-{number:000}")));
    }

    /// <summary>Runs a trial up to a step, or reads that it is there already.</summary>
    private TrialResult Advance(Trial trial, int steps, IProgress<TrialResult>? progress, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        Compute.Seed(trial.Seed);
        using var trainer = make(trial);
        using var model = trainer.Model;
        Look(trainer, steps);
        if (Known(trial, Math.Min(steps, trainer.Steps), trainer.Steps) is { } done) return done;
        if (trainer.CheckpointFolder is { } place) trainer.TryResume(place);
        var run = RunRecorder.Start(Path.GetFileName(folder), trial.Seed, trial.Settings, [], trial.Folder);
        trainer.StopAt = steps;
        try
        {
            foreach (var _ in trainer.Run(cancel).WriteTo(run)) { }
        }
        catch (ArithmeticException)
        {
            // the record has the status and the error
        }
        cancel.ThrowIfCancellationRequested();
        var failed = run.Run.Status == RunStatusNames.Failed;
        var isDone = trainer.Step >= trainer.Steps || trainer.StoppedEarly;
        if (!failed) run.End(isDone ? RunStatusNames.Succeeded : RunStatusNames.Stopped);
        var value = failed ? double.NaN : trainer.Best.Value;
        run.Measure(ValueAt(trainer.Step), value, measure);
        run.Measure(StepsName, trainer.Step, "steps");
        run.Save();
        var result = new TrialResult(trial, trainer.Step, value, run.Run.Status!);
        progress?.Report(result);
        return result;
    }

    private void Look(Trainer trainer, int steps)
    {
        if (!trainer.Evaluates)
            throw new ArgumentException("The trainer of a trial has no held-out data to compare trials by, or never evaluates.");
        if (steps < trainer.Steps && trainer.CheckpointFolder is null)
            throw new ArgumentException("The trainer of a trial writes no checkpoints, from which it could go on; set "
                + "Checkpoints = trial.Checkpoints().");
        measure = trainer.BestBy?.Name ?? "held-out loss";
        higherIsBetter = trainer.BestBy?.HigherIsBetter ?? false;
    }

    /// <summary>What the record of a trial says of a step; null if the trial neither came there nor ended before.</summary>
    private static TrialResult? Known(Trial trial, int step, int lastStep)
    {
        var runs = RunFile.Find(trial.Folder)?.Runs;
        if (runs is not [.., var last]) return null;
        if (!RunFile.AreSame(last.Settings, trial.Settings))
            throw new InvalidDataException($"{trial.Folder} holds a trial with {Trial.Text(last.Settings)}; this search's trial "
                + $"{trial.Number} has {Trial.Text(trial.Settings)}. Choose another folder, or the same seed and ranges.");
        foreach (var run in runs)
            if (run.Status != RunStatusNames.Failed && run.Metrics.TryGetValue(ValueAt(step), out var there))
                return new(trial, step, there.Value, step >= lastStep ? RunStatusNames.Succeeded : RunStatusNames.Stopped);
        var ended = last.Status is RunStatusNames.Succeeded or RunStatusNames.Failed;
        return ended && last.Metrics.TryGetValue(StepsName, out var steps) && steps.Value <= step
            ? new(trial, (int)steps.Value, last.Metrics[ValueAt((int)steps.Value)].Value, last.Status!) : null;
    }

    /// <summary>Name of a trial's value in its record; that of earlier rounds decides who went on.</summary>
    private static string ValueAt(int step) => string.Create(CultureInfo.InvariantCulture, $"best until step {step}");

    private SearchResult Result(IReadOnlyList<TrialResult> results) => new(Path.GetFileName(folder), measure,
        [.. Ordered(results)]);

    private IEnumerable<TrialResult> Ordered(IEnumerable<TrialResult> results) => results
        .OrderBy(one => double.IsNaN(one.Value)).ThenByDescending(one => one.Steps)
        .ThenBy(one => higherIsBetter ? -one.Value : one.Value).ThenBy(one => one.Trial.Number);
}
