using System.Globalization;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>The largest logits of a teacher for every example of a data set, in a file: the teacher then runs once, not in every
/// step.</summary>
/// <remarks>
/// For each prediction it holds the classes and values of the largest logits, and the logarithm of Σ exp(logit / temperature)
/// over all classes, so that the probabilities are the teacher's own. 12 bytes for each of the largest logits.
/// </remarks>
public sealed class TeacherCache : IDisposable
{
    private const string Classes = "teacher_classes", Values = "teacher_logits", Total = "teacher_total", Key = "temperature";
    private readonly Dictionary<string, Tensor> tensors;   // [examples, ..., top], and [examples, ...] for the total

    private TeacherCache(Dictionary<string, Tensor> tensors, double temperature)
    {
        this.tensors = tensors;
        Temperature = temperature;
    }

    /// <summary>Temperature of the totals, which a <see cref="LogitTerm"/> must have too.</summary>
    public double Temperature { get; }

    /// <summary>Number of the largest logits of a prediction.</summary>
    public int Top => (int)tensors[Values].shape[^1];

    /// <summary>Number of examples.</summary>
    public long Count => tensors[Values].shape[0];

    /// <summary>Runs a teacher on all examples and writes its largest logits.</summary>
    /// <param name="path">The file, a safetensors file.</param>
    /// <param name="teacher">The teacher, which is set to evaluation mode.</param>
    /// <param name="examples">All examples, which must have equal shapes.</param>
    /// <param name="top">Number of the largest logits, at most all classes.</param>
    /// <param name="temperature">Temperature of the distillation; above 0.</param>
    /// <param name="batchSize">Examples of a forward pass.</param>
    /// <param name="forward">Logits of the teacher for a batch; null for those of its inputs.</param>
    /// <param name="progress">Receives the number of examples done; null for none.</param>
    /// <param name="cancel">Ends the work; no file is written then.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static void Write(string path, nn.Module teacher, IExamples examples, int top, double temperature = 2,
        int batchSize = 32,
        Func<Batch, Tensor>? forward = null, IProgress<long>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(examples);
        Require.AtLeast(1, batchSize);
        Require.Positive(temperature);
        teacher.eval();
        forward ??= batch => ((nn.Module<Tensor, Tensor>)teacher).call(batch.Inputs);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var device = teacher.parameters().First().device;
        List<Tensor> classes = [], values = [], totals = [];
        for (var start = 0L; start < examples.Count; start += batchSize)
        {
            cancel.ThrowIfCancellationRequested();
            using var part = NewDisposeScope();
            var count = (int)Math.Min(batchSize, examples.Count - start);
            long[] numbers = [.. Enumerable.Range(0, count).Select(place => start + place)];
            using var batch = examples.Fetch(numbers).To(device);
            var logits = forward(batch).to(ScalarType.Float32);
            Require.That(top >= 1 && top <= logits.shape[^1], top, nameof(top), $"1 to {logits.shape[^1]}, the classes");
            var (largest, places) = logits.topk(top, dim: -1);
            classes.Add(places.cpu().MoveToOuterDisposeScope());
            values.Add(largest.cpu().MoveToOuterDisposeScope());
            totals.Add((logits / temperature).logsumexp(-1).cpu().MoveToOuterDisposeScope());
            progress?.Report(start + numbers.Length);
        }
        SafetensorsFile.Write(path, new Dictionary<string, Tensor>
        {
            [Classes] = cat(classes),
            [Values] = cat(values),
            [Total] = cat(totals),
        }, new Dictionary<string, string> { [Key] = temperature.ToString("R", CultureInfo.InvariantCulture) });
    }

    /// <summary>Opens a file.</summary>
    /// <param name="path">A file that <see cref="Write"/> wrote.</param>
    /// <exception cref="InvalidDataException">The file is damaged, or is another one.</exception>
    public static TeacherCache Open(string path)
    {
        using var reader = CheckpointReader.Open(path);
        if (!reader.Metadata.TryGetValue(Key, out var text)
            || !double.TryParse(text, CultureInfo.InvariantCulture, out var temperature)
            || !(temperature > 0) || !new[] { Classes, Values, Total }.All(reader.Entries.ContainsKey))
            throw new InvalidDataException($"{path} is not a file of a teacher's logits.");
        long[] ShapeOf(string name) => [.. reader.Entries[name].Shape];
        if (!ShapeOf(Classes).SequenceEqual(ShapeOf(Values)) || !ShapeOf(Total).SequenceEqual(ShapeOf(Values).SkipLast(1)))
            throw new InvalidDataException($"{path} is damaged: its classes, logits and totals have shapes that do not fit.");
        return new(reader.ReadAll().ToDictionary(pair => pair.Key, pair => pair.Value.DetachFromDisposeScope()), temperature);
    }

    /// <summary>The examples with the teacher's logits in each batch.</summary>
    /// <param name="examples">The examples for which the file was written, in the same order.</param>
    /// <exception cref="ArgumentException">The file is of another number of examples.</exception>
    public IExamples Attach(IExamples examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        if (examples.Count != Count)
            throw new ArgumentException($"The file holds the teacher's logits of {Count} examples; got {examples.Count}.",
                nameof(examples));
        return examples.Map((batch, numbers) =>
        {
            using var places = tensor(numbers.ToArray());
            var all = batch.Names.ToDictionary(name => name, name => batch[name]);
            foreach (var (name, tensor) in tensors) all[name] = tensor.index_select(0, places);
            return new Batch(all);
        });
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"the {Top} largest logits of a teacher for {Count} examples, at temperature {Temperature}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
    }

    /// <summary>The teacher's logits in a batch.</summary>
    internal static (Tensor Classes, Tensor Logits, Tensor Total) Of(Batch batch) => batch.Names.Contains(Values)
        ? (batch[Classes], batch[Values], batch[Total])
        : throw new ArgumentException("The batch has no logits of the teacher; train on the examples of TeacherCache.Attach.");
}
