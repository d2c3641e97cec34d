using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Tensors;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>Trains a student to imitate a teacher: makes the objective of a <see cref="Trainer"/> out of terms.</summary>
/// <remarks>
/// <code>
/// using var distillation = new Distillation(student, teacher,
///     new LogitTerm { Temperature = 2 }, new HiddenTerm { Weight = 0.5 }) { LabelWeight = 0.5 };
/// var trainer = new Trainer(student, distillation.Objective(Metric.Perplexity), loader, options, heldOut);
/// </code>
/// In training the loss is <see cref="LabelWeight"/> × the loss of the labels plus all terms. An evaluation reports the loss
/// of the labels alone, without the teacher, so that it compares with a model that was trained without one. Students come from
/// <see cref="StructuredPruning"/>. While this object lives, hooks watch the layers that terms compare; do not let the student
/// recompute its blocks then. The projection of a term (<see cref="HiddenTerm.Projects"/>) is a submodule of the student for so
/// long, so that the trainer trains it and its checkpoints hold it: make the distillation before the trainer, and resume with the
/// same terms.
/// </remarks>
public sealed class Distillation : IDisposable
{
    private readonly nn.Module student;
    private readonly nn.Module? teacher;
    private readonly IReadOnlyList<DistillationTerm> terms;
    private readonly WatchedLayers own;
    private readonly WatchedLayers? other;
    private readonly double cachedTemperature;
    private readonly List<(DistillationTerm Term, HiddenProjection Projection)> projections = [];

    /// <summary>With a teacher that runs on every batch.</summary>
    /// <param name="student">The model that is trained.</param>
    /// <param name="teacher">The model that it imitates; it is set to evaluation mode and not changed otherwise.</param>
    /// <param name="terms">What is compared.</param>
    /// <exception cref="ArgumentException">
    /// There is no term, a setting is out of range, a layer of a map does not exist, or a model lacks the hook points of a term.
    /// </exception>
    public Distillation(nn.Module student, nn.Module teacher, params IReadOnlyList<DistillationTerm> terms)
        : this(student, terms)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        this.teacher = teacher;
        teacher.eval();
        try
        {
            other = new WatchedLayers(teacher, terms.Select(term => term.Hook).OfType<string>());
            foreach (var term in terms.Where(term => term.Hook is not null)) Map(term);
            foreach (var term in terms.OfType<HiddenTerm>().Where(term => term.Projects))
                projections.Add((term, new HiddenProjection(student, teacher, projections.Count)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>With a teacher's largest logits from a file; the batches are those of 
    /// <see cref="TeacherCache.Attach"/>.</summary>
    /// <param name="student">The model that is trained.</param>
    /// <param name="cache">The teacher's logits.</param>
    /// <param name="terms">Terms on logits, at the temperature of the cache.</param>
    /// <exception cref="ArgumentException">A term needs the teacher itself, or another temperature.</exception>
    public Distillation(nn.Module student, TeacherCache cache, params IReadOnlyList<LogitTerm> terms) : this(student, [.. terms])
    {
        ArgumentNullException.ThrowIfNull(cache);
        cachedTemperature = cache.Temperature;
        foreach (var term in terms)
        {
            Require.That(!term.Reverse, term.Reverse, nameof(term.Reverse), "false with a file of the teacher's largest logits");
            Require.That(term.Temperature == cachedTemperature, term.Temperature, nameof(term.Temperature),
                $"{cachedTemperature}, the temperature of the cache");
        }
    }

    private Distillation(nn.Module student, IReadOnlyList<DistillationTerm> terms)
    {
        ArgumentNullException.ThrowIfNull(student);
        Packing.Refuse(student, "trained");
        Require.That(terms.Count > 0, terms.Count, "the number of terms", "at least 1");
        foreach (var term in terms) term.Validate();
        this.student = student;
        this.terms = terms;
        own = new WatchedLayers(student, terms.Select(term => term.Hook).OfType<string>());
    }

    /// <summary>Factor of the loss of the labels; 0 for the teacher alone.</summary>
    public double LabelWeight { get; init; } = 0.5;

    /// <summary>Loss of the student's logits and the batch's targets.</summary>
    public Func<Tensor, Tensor, Loss> Labels { get; init; } = Losses.CrossEntropy;

    /// <summary>
    /// Logits of a model for a batch; by default from its inputs, with the mask for a BERT and the shifted targets for a T5.
    /// </summary>
    public Func<nn.Module, Batch, Tensor> Forward { get; init; } = Logits;

    /// <summary>
    /// Whether predictions are compared only where the batch has a target; false for all positions of the batch's mask.
    /// </summary>
    public bool OnlyTargets { get; init; } = true;

    /// <summary>Makes the objective of the trainer.</summary>
    /// <param name="metrics">Metrics that evaluations report, of the student's logits and the targets.</param>
    public Objective Objective(params IReadOnlyList<Reported> metrics)
    {
        Require.NotNegative(LabelWeight);
        return new(Compute, Training.Objective.DefaultUnit, metrics);
    }

    /// <summary>Stops watching the layers, and takes the projections of terms out of the student.</summary>
    public void Dispose()
    {
        own.Dispose();
        other?.Dispose();
        foreach (var (_, projection) in projections) projection.Dispose();
    }

    private Outcome Compute(Batch batch)
    {
        try
        {
            var logits = Forward(student, batch).Full();
            var labels = Labels(logits, batch.Targets);
            return new Outcome(student.training ? Total(labels, logits, batch) : labels, logits);
        }
        finally
        {
            own.Clear();
            other?.Clear();
        }
    }

    private Loss Total(Loss labels, Tensor logits, Batch batch)
    {
        Tensor? target = null;
        if (teacher is not null)
            using (no_grad())
                target = Forward(teacher, batch).Full();
        var mask = batch.Mask?.ne(0);
        var sum = LabelWeight == 0 ? zeros([], labels.Mean.dtype, device: labels.Mean.device) : labels.Mean * LabelWeight;
        foreach (var term in terms)
            sum += term.Weight * (term is LogitTerm own ? OfLogits(own, logits, target, batch) : OfLayers(term, mask));
        return labels with { Mean = sum };
    }

    private Tensor OfLogits(LogitTerm term, Tensor logits, Tensor? target, Batch batch)
    {
        var rows = Rows(logits, batch);
        Tensor Chosen(Tensor values, int axes) => rows is null ? values
            : axes == 1 ? values[rows] : values.flatten(0, -2)[rows.flatten()];
        if (target is null)
        {
            var (classes, top, total) = TeacherCache.Of(batch);
            return DistillationLosses.TopTargets(Chosen(logits, 2), Chosen(classes, 2), Chosen(top, 2), Chosen(total, 1),
                term.Temperature);
        }
        return term.Reverse ? DistillationLosses.ReverseSoftTargets(Chosen(logits, 2), Chosen(target, 2), term.Temperature)
            : DistillationLosses.SoftTargets(Chosen(logits, 2), Chosen(target, 2), term.Temperature);
    }

    /// <summary>bool, the shape of the logits without classes: which predictions are compared; null for all.</summary>
    private Tensor? Rows(Tensor logits, Batch batch)
    {
        var targets = batch.Targets;
        if (OnlyTargets) return !targets.is_floating_point() && targets.shape.AsSpan().SequenceEqual(logits.shape.AsSpan(..^1))
            ? targets.ne(Losses.Ignored) : null;
        return batch.Mask is { } mask && mask.shape.AsSpan().SequenceEqual(logits.shape.AsSpan(..^1)) ? mask.ne(0) : null;
    }

    private Tensor OfLayers(DistillationTerm term, Tensor? mask)
    {
        var pairs = Map(term).Pairs;
        Tensor? sum = null;
        foreach (var (mine, theirs) in pairs)
        {
            var (a, b) = (own.Of(term.Hook!, mine), other!.Of(term.Hook!, theirs));
            if (projections.FirstOrDefault(one => ReferenceEquals(one.Term, term)).Projection is { } projection)
                a = projection.Of(a);
            var one = term is HiddenTerm hidden ? hidden.Of(a, b, mask) : AttentionTerm.Of(a, b);
            sum = sum is null ? one : sum + one;
        }
        return sum! / pairs.Count;
    }

    private LayerMap Map(DistillationTerm term)
    {
        var (mine, theirs) = (own.Count(term.Hook!), other!.Count(term.Hook!));
        var map = term is HiddenTerm hidden ? hidden.Layers : ((AttentionTerm)term).Layers;
        Require.That(map is not { Pairs.Count: 0 }, 0, "the number of layers that a term compares", "at least 1");
        return (map ?? LayerMap.Even(mine, theirs)).Checked(mine, theirs);
    }

    private static Tensor Logits(nn.Module model, Batch batch) => model switch
    {
        T5 t5 => t5.Logits(batch.Inputs, t5.ShiftRight(batch.Targets), batch.Mask),
        BertForSequenceClassification bert => bert.Logits(batch.Inputs, batch.Mask),
        BertForTokenClassification bert => bert.Logits(batch.Inputs, batch.Mask),
        BertForMaskedLanguageModel bert => bert.Logits(batch.Inputs, batch.Mask),
        nn.Module<Tensor, Tensor> plain => plain.call(batch.Inputs),
        _ => throw new ArgumentException($"{model.GetName()} takes more than one tensor; set Distillation.Forward."),
    };
}
