using ResearchKit.Data;
using ResearchKit.Tensors;

namespace ResearchKit.Training;

public sealed partial class Trainer
{
    /// <summary>Trains from the current step to the last, one step for each report requested.</summary>
    /// <remarks>
    /// A run that ends by itself, by <see cref="Stop"/> or by <paramref name="cancel"/> leaves a checkpoint of its last step. One
    /// whose caller leaves the loop with <c>break</c> does not.
    /// </remarks>
    /// <param name="cancel">Ends the run after the current step.</param>
    /// <exception cref="ArgumentException">
    /// A batch is empty or does not match the model, or the loss is not a scalar; the model is as it was before
    /// that step.
    /// </exception>
    /// <exception cref="ArithmeticException">
    /// The loss or a gradient became infinite or NaN; the message names its origin. The model is as it was before
    /// that step.
    /// </exception>
    /// <exception cref="IOException">
    /// The checkpoint folder belongs to another run or cannot be written. The step was taken even so; a later run
    /// continues after it.
    /// </exception>
    public IEnumerable<StepReport> Run(CancellationToken cancel = default)
    {
        if (reports.Count == 0 && IsFirst)
            foreach (var warning in Warnings) Console.Error.WriteLine(warning);
        using var writing = options.Checkpoints is { } place && IsFirst ? CheckpointStore.Open(place, Step) : null;
        using var memory = new HeapMaintenance();
        using var batches = loader.Batches().GetEnumerator();
        var pace = new RunPace(Step);
        stops = false;
        var taken = new List<Batch>(options.Accumulation);
        while (Step < options.Steps && !StoppedEarly && !stops && !cancel.IsCancellationRequested)
        {
            pace.Start();
            Collect(batches, taken);
            pace.HaveData();
            memory.StepBegins();
            var report = TakeStep(taken, pace);
            Save(writing, isLast: StoppedEarly || stops);
            yield return report;
        }
        if (options.Workers is not { WorldSize: > 1 } || stops) Save(writing, isLast: true);   // ranks may be cancelled apart
    }

    /// <summary>Takes the batches of the next step from the loader; all ranks take as many.</summary>
    private void Collect(IEnumerator<Batch> batches, List<Batch> taken)
    {
        taken.Clear();
        for (var targets = 0.0; IsShort(taken.Count, targets);)
        {
            batches.MoveNext();
            taken.Add(batches.Current);
            if (options.AccumulationTargets is not null) targets += options.Workers.Total(Targets(batches.Current), device);
        }
    }

    private bool IsShort(int batches, double targets) =>
        options.AccumulationTargets is { } most ? targets < most : batches < options.Accumulation;

    private static double Targets(Batch batch)
    {
        if (batch.Targets.is_floating_point()) return batch.Targets.numel();
        using var has = batch.Targets.ne(NoTarget.Value);
        using var sum = has.sum();
        return sum.item<long>();
    }

    private StepReport TakeStep(List<Batch> taken, RunPace pace)
    {
        var rate = schedule(Step + 1);
        foreach (var callback in options.Callbacks) callback.StepBegins(this, Step + 1);
        var result = step.Take(taken, Step + 1, rate);
        foreach (var callback in options.Callbacks) callback.WeightsUpdated(this, Step + 1);
        average?.Update();
        Step++;
        pace.Stop(result.Targets * (options.Workers?.WorldSize ?? 1));
        improved = false;
        var report = pace.Report(Step, options.Steps, result, rate) with { LossUnit = objective.Unit };
        if (Due(options.EvaluateEvery)) report = Evaluated(report);
        reports.Add(report);
        foreach (var callback in options.Callbacks) callback.StepEnds(this, report);
        stops |= Step >= StopAt;
        if (stops && options.EvaluateEvery is not null && report.HeldOutLoss is null) reports[^1] = report = Evaluated(report);
        return report;
    }

    /// <summary>Evaluates if there is held-out data, and notes whether the result is the best so far.</summary>
    private StepReport Evaluated(StepReport report)
    {
        if (evaluation is null) return report;
        var heldOut = HeapMaintenance.Evaluate(EvaluateAll);
        var value = options.BestBy is { } metric ? heldOut[metric.Name].Value : heldOut.Loss;
        improved = options.BestBy?.IsBetter(value, Best.Value) ?? value < Best.Loss;   // NaN is never better
        Best = improved ? new BestEvaluation(Step, heldOut.Loss, 0) { Value = value } : Best with { Since = Best.Since + 1 };
        if (heldOut.Targets == 0 && IsFirst) Console.Error.WriteLine($"Step {Step}: {heldOut}.");
        return report with { HeldOutLoss = heldOut.Loss, Metrics = heldOut.Metrics };
    }

    /// <summary>Writes the checkpoints that are due after this step.</summary>
    private void Save(CheckpointStore? store, bool isLast)
    {
        if (options.Checkpoints is not { } checkpoints || saved == Step) return;
        var regular = isLast || Due(checkpoints.Every);
        var best = improved && checkpoints.Best;
        if (!regular && !best) return;
        Checkpoint.Save(this, store, regular, best);
        improved = false;
        if (regular) saved = Step;
    }

    private bool IsFirst => options.Workers is not { Rank: > 0 };

    private bool Due(int? every) => every is { } steps && (Step % steps == 0 || Step == options.Steps);
}
