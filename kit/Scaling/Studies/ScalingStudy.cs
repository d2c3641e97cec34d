using System.Globalization;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Training;

namespace ResearchKit.Scaling;

/// <summary>
/// Trains a ladder of sizes, each with several budgets; each run has a folder of its own with its record and checkpoints.
/// </summary>
/// <remarks>
/// <code>
/// var study = new ScalingStudy("runs/ladder", "austen", run =&gt; new Trainer(Model(run.Size.Name), Losses.CrossEntropy,
/// loader(),
///     new TrainerOptions { Steps = run.Steps(tokensPerStep), Checkpoints = run.Checkpoints() }, heldOut));
/// var result = study.Run(sizes, budgets: [1e12, 4e12]);
/// var fit = ParametricLaw.Fit(result.Points);
/// </code>
/// A study that was interrupted goes on where it was, and a budget that is added later repeats nothing: runs that are done
/// are read
/// from their records. Several processes can share a study: each takes every n-th run, as its rank says.
/// </remarks>
/// <param name="folder">Folder of the runs; its name is the name of the study.</param>
/// <param name="data">Name of the data and its version; runs of other data in the folder are an error.</param>
/// <param name="make">
/// Makes the trainer of a run, with held-out data. The study sets all random seeds before, and disposes the trainer and its
/// model.
/// </param>
public sealed class ScalingStudy(string folder, string data, Func<StudyRun, Trainer> make)
{
    private const string LossName = "final held-out loss";
    private readonly string folder = Path.GetFullPath(folder);

    /// <summary>Seeds; every size and budget is trained with each.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [1337];

    /// <summary>Which of the runs this process trains; from the launcher's variables by default.</summary>
    public ProcessRank Rank { get; init; } = ProcessRank.FromEnvironment();

    /// <summary>Trains all runs of this process that are not done yet, and reads the others.</summary>
    /// <param name="sizes">The ladder.</param>
    /// <param name="budgets">Budgets in operations; each size is trained with each.</param>
    /// <param name="progress">Receives each run that is done, with its loss.</param>
    /// <param name="workers">
    /// Communication between processes that share the study: all then wait for each other, so that every one of them sees
    /// all runs.
    /// Null for none.
    /// </param>
    /// <param name="cancel">Ends the study after the step at hand.</param>
    /// <exception cref="ArgumentException">Two sizes have the same name, or a number is not positive.</exception>
    /// <exception cref="InvalidDataException">The folder has runs of another study or of other data.</exception>
    /// <exception cref="OperationCanceledException">The study was cancelled; a later one goes on.</exception>
    public StudyResult Run(IReadOnlyList<StudySize> sizes, IReadOnlyList<double> budgets, IProgress<string>? progress = null,
        ICommunicator? workers = null, CancellationToken cancel = default) => Run([.. from budget in budgets from size in sizes
            select (size, budget)], progress, workers, cancel);

    /// <summary>Trains chosen pairs of a size and a budget.</summary>
    /// <param name="ladder">Sizes with their budgets in operations.</param>
    /// <param name="progress">Receives each run that is done, with its loss.</param>
    /// <param name="workers">Communication between processes that share the study; null for none.</param>
    /// <param name="cancel">Ends the study after the step at hand.</param>
    /// <exception cref="ArgumentException">Two sizes have the same name, or a number is not positive.</exception>
    /// <exception cref="InvalidDataException">The folder has runs of another study or of other data.</exception>
    /// <exception cref="OperationCanceledException">The study was cancelled; a later one goes on.</exception>
    public StudyResult Run(IReadOnlyList<(StudySize Size, double Operations)> ladder, IProgress<string>? progress = null,
        ICommunicator? workers = null, CancellationToken cancel = default)
    {
        Check(ladder);
        var rank = workers is null ? Rank : new ProcessRank(workers.Rank, workers.WorldSize);
        var runs = (from rung in ladder
                    from seed in Seeds
                    select new StudyRun(rung.Size, rung.Operations, seed,
            Path.Combine(folder, StudyRun.FolderName(rung.Size, rung.Operations, seed)))).ToList();
        foreach (var run in runs) Known(run);   // runs of another study are an error before anything is trained
        foreach (var (run, _) in runs.Select((run, index) => (run, index)).Where(one => one.index % rank.WorldSize == rank.Rank))
        {
            cancel.ThrowIfCancellationRequested();
            if (Known(run) is not null) continue;
            Train(run, cancel);
            progress?.Report(string.Create(CultureInfo.InvariantCulture,
                $"{run}: {(Known(run) is { } done ? $"loss {done.Loss:0.0000}" : "failed")}"));
        }
        if (workers is not null) Wait(workers);
        var points = runs.Select(run => (run, Point: Known(run))).ToList();
        return new StudyResult(Path.GetFileName(folder),
            [.. points.Where(one => one.Point is not null).Select(one => (one.run, one.Point!))],
            [.. points.Where(one => one.Point is null).Select(one => one.run)]);
    }

    private void Check(IReadOnlyList<(StudySize Size, double Operations)> ladder)
    {
        ArgumentNullException.ThrowIfNull(ladder);
        if (ladder.Count == 0)
            throw new ArgumentException("The ladder has no run; expected at least one size and one budget.", nameof(ladder));
        if (Seeds.Count == 0) throw new ArgumentException("Seeds has no seed; expected at least one.");
        foreach (var (size, operations) in ladder)
        {
            Require.Positive(operations);
            Require.Positive(size.Parameters, nameof(size.Parameters));
            Require.Positive(size.OperationsPerToken, nameof(size.OperationsPerToken));
            if (size.Name.Length == 0 || size.Name != Path.GetFileName(size.Name))
                throw new ArgumentException($"The size is called '{size.Name}'; expected a valid file name.", nameof(ladder));
        }
        if (ladder.Select(rung => rung.Size).Distinct().GroupBy(size => size.Name).FirstOrDefault(same =>
            same.Count() > 1) is { } two)
            throw new ArgumentException($"Two different sizes are called '{two.Key}'; expected different names.", nameof(ladder));
    }

    private void Train(StudyRun run, CancellationToken cancel)
    {
        Compute.Seed(run.Seed);
        using var trainer = make(run);
        using var model = trainer.Model;
        if (!trainer.HasHeldOut)
            throw new ArgumentException("The trainer of a run has no held-out data; a scaling law needs a held-out loss.");
        if (trainer.CheckpointFolder is { } place) trainer.TryResume(place);
        var record = RunRecorder.Start(Path.GetFileName(folder), run.Seed, Settings(run), [], run.Folder);
        try
        {
            foreach (var report in trainer.Run(cancel).WriteTo(record)) { }
        }
        catch (ArithmeticException)
        {
            record.Save();   // the record has the status and the error
            return;
        }
        cancel.ThrowIfCancellationRequested();
        record.Measure(LossName, trainer.Evaluate(), "nats per token");
        record.End(RunStatusNames.Succeeded);
    }

    private Dictionary<string, object> Settings(StudyRun run) => new()
    {
        ["data"] = data,
        ["size"] = run.Size.Name,
        ["parameters"] = run.Size.Parameters,
        ["operationsPerToken"] = run.Size.OperationsPerToken,
        ["operations"] = run.Operations,
    };

    /// <summary>The point of a run that is done; null for others.</summary>
    private ScalingPoint? Known(StudyRun run)
    {
        if (RunFile.Find(run.Folder)?.Runs is not [.., var last]) return null;
        var settings = Settings(run);
        if (!RunFile.AreSame(last.Settings, settings))
            throw new InvalidDataException($"{run.Folder} holds a run with {Text(last.Settings)}; this study has "
                + $"{Text(settings)}. A "
                + "ladder's runs must share their data and sizes: choose another folder.");
        return last.Status == RunStatusNames.Succeeded && last.Metrics.TryGetValue(LossName, out var loss)
            ? new ScalingPoint(run.Size.Parameters, run.Tokens, loss.Value) { Compute = run.Operations, Data = data } : null;
    }

    private static void Wait(ICommunicator workers)
    {
        using var one = TorchSharp.torch.ones(1);
        workers.AllReduce([one]);
    }

    private static string Text(IReadOnlyDictionary<string, object> settings) =>
        string.Join(", ", settings.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));
}
