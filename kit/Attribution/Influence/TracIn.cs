using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>A checkpoint of a training run and the learning rate that it was trained with from there on.</summary>
/// <param name="State">The parameters by name; tensors that the model does not have are an error.</param>
/// <param name="LearningRate">The learning rate.</param>
public sealed record TrainingCheckpoint(IReadOnlyDictionary<string, Tensor> State, double LearningRate);

/// <summary>
/// Which training examples changed the loss of a test example: products of their gradients, summed over checkpoints.
/// </summary>
/// <remarks>
/// Pruthi et al., 2020, https://arxiv.org/abs/2002.08484. A positive number: training on it made the test loss smaller.
/// </remarks>
public static class TracIn
{
    /// <summary>Computes the influence of each training example on each test example.</summary>
    /// <typeparam name="T">What an example is.</typeparam>
    /// <param name="model">The model; its parameters are as they were afterwards.</param>
    /// <param name="loss">The loss of one example, with gradient.</param>
    /// <param name="train">Training examples.</param>
    /// <param name="test">Test examples.</param>
    /// <param name="checkpoints">Checkpoints; null for the model as it is, with rate 1.</param>
    /// <param name="parameters">Chooses parameters by name, such as those of the last layer; null for all.</param>
    /// <param name="progress">Reports the share that is done.</param>
    /// <param name="cancellation">Stops between two examples.</param>
    /// <returns>A row for each test example, a column for each training example.</returns>
    /// <exception cref="ArgumentException">A checkpoint does not fit, or no parameter is chosen.</exception>
    public static Grid Of<T>(nn.Module model, Func<T, Tensor> loss, IReadOnlyList<T> train, IReadOnlyList<T> test,
        IReadOnlyList<TrainingCheckpoint>? checkpoints = null, Func<string, bool>? parameters = null,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(loss);
        using var scope = NewDisposeScope();
        var chosen = model.named_parameters().Where(pair => parameters is null || parameters(pair.name)).ToList();
        if (chosen.Count == 0) throw new ArgumentException("The filter chooses no parameter of the model.", nameof(parameters));
        var own = model.named_parameters().Select(pair => (pair.parameter, Values: pair.parameter.detach().clone())).ToList();
        var sum = zeros(test.Count, train.Count, dtype: float64);
        var (done, all) = (0, (checkpoints?.Count ?? 1) * (train.Count + test.Count));
        try
        {
            foreach (var checkpoint in checkpoints ?? [new TrainingCheckpoint(new Dictionary<string, Tensor>(), 1)])
            {
                using var inner = NewDisposeScope();
                Load(model, checkpoint);
                var (ofTest, ofTrain) = (Gradients(test), Gradients(train));
                sum.add_(checkpoint.LearningRate * ofTest.matmul(ofTrain.t()));
            }
        }
        finally
        {
            using var noGrad = no_grad();
            foreach (var (parameter, values) in own) parameter.copy_(values);
        }
        return new Grid("influence on the test loss", "", [.. test.Select((_, at) => $"test {at}")],
            [.. train.Select((_, at) => $"train {at}")], Cells(sum))
        {
            RowAxis = "test example",
            ColumnAxis = "training example"
        };

        Tensor Gradients(IReadOnlyList<T> examples) => stack(examples.Select(example =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            var gradients = GuardedGrad.Grad(loss(example), [.. chosen.Select(pair => (Tensor)pair.parameter)]);
            progress?.Report((double)++done / all);
            return cat([.. gradients.Select(gradient => gradient.flatten())]).to(float64).MoveToOuterDisposeScope();
        }));
    }

    private static void Load(nn.Module model, TrainingCheckpoint checkpoint)
    {
        using var noGrad = no_grad();
        var own = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        foreach (var (name, values) in checkpoint.State)
        {
            if (!own.TryGetValue(name, out var parameter) || !parameter.shape.SequenceEqual(values.shape))
                throw new ArgumentException($"A checkpoint has '{name}' of {values.ShapeText()}, which the model does not have.");
            parameter.copy_(values);
        }
    }

    private static double[,] Cells(Tensor sum)
    {
        var cells = new double[sum.shape[0], sum.shape[1]];
        Buffer.BlockCopy(sum.contiguous().data<double>().ToArray(), 0, cells, 0, sizeof(double) * cells.Length);
        return cells;
    }
}
