namespace ResearchKit.Training;

/// <summary>Sees the steps of a run and may change the run: freeze parameters, stop, write something of its own.</summary>
/// <remarks>
/// For what must happen inside <see cref="Trainer.Run"/> wherever the run is started; a loop of your own needs none. Callbacks
/// run in the order of
/// <see cref="TrainerOptions.Callbacks"/>, in every process of a data-parallel run. What one throws ends the run.
/// </remarks>
public abstract class TrainingCallback
{
    /// <summary>Called before the forward pass of a step.</summary>
    /// <param name="trainer">The run.</param>
    /// <param name="step">Number of the step, from 1.</param>
    public virtual void StepBegins(Trainer trainer, int step)
    {
    }

    /// <summary>
    /// Called when the gradients of a step are complete, summed over all batches and ranks, before they are clipped and used: a
    /// callback may change <c>grad</c> of parameters.
    /// </summary>
    /// <param name="trainer">The run.</param>
    /// <param name="step">Number of the step, from 1.</param>
    public virtual void GradientsReady(Trainer trainer, int step)
    {
    }

    /// <summary>Called after the update of a step, before averages and the evaluation: a callback may change the
    /// weights.</summary>
    /// <param name="trainer">The run.</param>
    /// <param name="step">Number of the step, from 1.</param>
    public virtual void WeightsUpdated(Trainer trainer, int step)
    {
    }

    /// <summary>Called after the update and the evaluation of a step, before the caller sees the report.</summary>
    /// <param name="trainer">The run; <see cref="Trainer.Stop"/> ends it after this step.</param>
    /// <param name="report">What the step did.</param>
    public virtual void StepEnds(Trainer trainer, StepReport report)
    {
    }
}
