using TorchSharp.Modules;

namespace ResearchKit.Training;

/// <summary>Trains the parts of a model in turns: the two networks of a GAN, an actor and its critic.</summary>
/// <remarks>
/// The objective asks <see cref="Now"/> whose turn it is. The other parts are frozen for the step, so that clipping, norms and
/// the optimizer see only the part at hand, while gradients still flow through the frozen ones. The turn follows from the number
/// of the step, so that a resumed run goes on with it. With a <see cref="Optimizers.CombinedOptimizer"/> each part has an
/// optimizer of its own. <code>
/// var turns = new Turns(("discriminator.", 2), ("generator.", 1));
/// var objective = new Objective(batch =&gt; turns.Now == "generator." ? GeneratorLoss(batch) : DiscriminatorLoss(batch));
/// </code>
/// </remarks>
public sealed class Turns : TrainingCallback
{
    private readonly IReadOnlyList<(string Prefix, int Steps)> parts;
    private readonly List<Parameter> frozen = [];

    /// <param name="parts">How the names of a part's parameters begin, and its number of steps in a row.</param>
    /// <exception cref="ArgumentException">There are fewer than two parts, or a number of steps is below 1.</exception>
    public Turns(params IReadOnlyList<(string Prefix, int Steps)> parts)
    {
        if (parts.Count < 2) throw new ArgumentException($"Got {parts.Count} parts; turns need at least two.", nameof(parts));
        if (parts.Any(part => part.Steps < 1))
            throw new ArgumentException("A part has fewer than one step in a row; expected at least one.", nameof(parts));
        this.parts = parts;
        Now = parts[0].Prefix;
    }

    /// <summary>The prefix of the part whose turn it is.</summary>
    public string Now { get; private set; }

    /// <summary>The prefix of the part whose turn a step is.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    public string At(int step)
    {
        var place = (step - 1) % parts.Sum(part => part.Steps);
        foreach (var (prefix, steps) in parts)
        {
            if (place < steps) return prefix;
            place -= steps;
        }
        return parts[^1].Prefix;
    }

    /// <inheritdoc/>
    public override void StepBegins(Trainer trainer, int step)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        Thaw();   // after a step that failed
        Now = At(step);
        foreach (var (name, parameter) in trainer.Model.named_parameters())
        {
            if (!parameter.requires_grad || name.StartsWith(Now, StringComparison.Ordinal)) continue;
            parameter.requires_grad = false;
            frozen.Add(parameter);
        }
    }

    /// <inheritdoc/>
    public override void StepEnds(Trainer trainer, StepReport report) => Thaw();

    private void Thaw()
    {
        foreach (var parameter in frozen) parameter.requires_grad = true;
        frozen.Clear();
    }
}
