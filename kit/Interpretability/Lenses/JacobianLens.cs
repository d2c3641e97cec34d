using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>
/// Jacobian lens: the stream after some layers is multiplied by the mean of ∂h_final/∂h_layer over a corpus, and then decoded by
/// the model's own output layer.
/// </summary>
/// <remarks>After the last layer the Jacobian is the identity. The intercept of the linear map is not fitted.</remarks>
public sealed class JacobianLens : ILens, IDisposable
{
    private JacobianLens(Tensor jacobians) => Jacobians = jacobians;

    /// <summary>The mean Jacobians, [number of layers + 1, final channels, channels]; the last is the identity.</summary>
    public Tensor Jacobians { get; }

    /// <inheritdoc/>
    public string Name => "Jacobian lens";

    /// <summary>Averages the Jacobians of a model over texts.</summary>
    /// <param name="model">A transformer of the kit that reads one tensor.</param>
    /// <param name="batches">Inputs of the model, such as tokens, int64 [batch, time].</param>
    /// <param name="positions">Which Jacobians are averaged.</param>
    /// <param name="progress">Receives the share that is done.</param>
    /// <param name="cancellation">Ends the computation between backward passes.</param>
    /// <returns>The lens; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">There is no batch, or the model is not a transformer of the kit.</exception>
    public static JacobianLens Fit(Module<Tensor, Tensor> model, IReadOnlyList<Tensor> batches,
        JacobianPositions positions = JacobianPositions.OwnAndLater, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        Require.AtLeast(1, batches.Count);
        var parts = TransformerParts.Of(model);
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(model);
        Tensor? sum = null;
        var count = 0L;
        var done = 0;
        foreach (var (input, at) in batches.SelectMany(batch => Readings(model, parts, batch, positions)))
        {
            var (jacobians, number) = Sum(model, parts, input, at, cancellation);
            sum = sum is null ? jacobians : sum + jacobians;
            count += number;
            progress?.Report(Math.Min(1, (double)++done / batches.Count));
        }
        var mean = sum! / count;
        var identity = eye(mean.shape[^1], dtype: mean.dtype, device: mean.device).unsqueeze(0);
        return new JacobianLens(cat([mean, identity]).DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public Tensor Translate(int layers, Tensor stream)
    {
        if (layers == Jacobians.shape[0] - 1) return stream.alias();
        using var scope = NewDisposeScope();
        return stream.matmul(Jacobians[layers].to(stream).t()).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Jacobians.Dispose();

    /// <summary>The inputs that are read, each with the position of every row; null for all positions.</summary>
    private static IEnumerable<(Tensor Input, Tensor? At)> Readings(
        Module<Tensor, Tensor> model, TransformerParts parts, Tensor batch, JacobianPositions positions)
    {
        if (positions == JacobianPositions.OwnAndLater)
        {
            yield return (batch, null);
            yield break;
        }
        long time;
        using (var streams = Lenses.Streams(model, parts, batch)) time = streams[parts.Layers[0].Begin].shape[1];
        for (var position = 0L; position < time; position++) yield return (batch, tensor(position));
    }

    /// <summary>The sum of the Jacobians of one reading, [layer, final channels, channels], and how many they are.</summary>
    private static (Tensor Sum, long Count) Sum(Module<Tensor, Tensor> model, TransformerParts parts, Tensor input, Tensor? at,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var cache = ActivationCache.Record(model, new RecordingOptions
        {
            Names = [.. parts.Layers.Select(layer => layer.Begin)],
            Gradients = true,
        });
        Tensor? last = null;
        var hook = Places.Named(model, parts.Layers[^1].End).Module.register_forward_hook((_, _, output) =>
        {
            last = output.alias().DetachFromDisposeScope();
            return output;
        });
        try
        {
            using var grad = enable_grad();
            model.call(input);
            var (batch, time, channels) = last!.Axes3();
            var rows = new List<Tensor>();
            for (var channel = 0L; channel < channels; channel++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var step = NewDisposeScope();
                var chosen = at is null ? last!.select(2, channel) : last!.select(2, channel).select(1, at.item<long>());
                cache.Backward(chosen.sum(), keepGraph: true);
                rows.Add(stack(parts.Layers.Select(layer => at is null ? cache.Gradient(layer.Begin).sum([0, 1])
                    : cache.Gradient(layer.Begin).select(1, at.item<long>()).sum(dim: 0))).MoveToOuterDisposeScope());
            }
            return (stack(rows, 1).MoveToOuterDisposeScope(), at is null ? batch * time : batch);
        }
        finally
        {
            hook.remove();
            last?.Dispose();
        }
    }
}
