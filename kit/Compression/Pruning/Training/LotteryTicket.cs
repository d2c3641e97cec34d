using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Finds a lottery ticket: train, prune a share of the remaining weights by magnitude, rewind the others to what they were, and
/// train again.
/// </summary>
/// <remarks>
/// Frankle and Carbin, 2019, https://arxiv.org/abs/1803.03635; rewinding to an early step: Frankle et al., 2020,
/// https://arxiv.org/abs/1912.05671. <code>
/// using var ticket = new LotteryTicket(model);               // now, or after some steps
/// for (var round = 0; round &lt; 5; round++)
/// {
///     Train(model, ticket.Masks);                            // with new SparseTraining(ticket.Masks)
///     ticket.Prune(model, 0.2);
///     ticket.Rewind(model);
/// }
/// </code>
/// </remarks>
public sealed class LotteryTicket : IDisposable
{
    private readonly Dictionary<string, Tensor> start;   // parameters and buffers
    private readonly bool global;

    /// <summary>Remembers the weights to which <see cref="Rewind"/> goes back.</summary>
    /// <param name="model">The model, untrained or after its first steps.</param>
    /// <param name="global">
    /// Whether a round prunes the smallest weights of all layers together; false for the share in each layer.
    /// </param>
    /// <param name="filter">Chooses parameters by name; null for the weights of linear layers and convolutions, without
    /// heads.</param>
    /// <exception cref="ArgumentException">The filter chooses no parameter.</exception>
    public LotteryTicket(nn.Module model, bool global = true, Func<string, bool>? filter = null)
    {
        this.global = global;
        var pruned = ModelMasks.Chosen(model, filter);
        using var noGrad = no_grad();
        start = ModelTensors.Of(model).ToDictionary(pair => pair.Key,
            pair => pair.Value.detach().clone().DetachFromDisposeScope());
        Masks = new ModelMasks(pruned.ToDictionary(pair => pair.Key,
            pair => zeros(pair.Value.shape, ScalarType.Bool, pair.Value.device)));
    }

    /// <summary>Which weights have been pruned so far; replaced by <see cref="Prune"/>.</summary>
    public ModelMasks Masks { get; private set; }

    /// <summary>Prunes a share of the weights that remain, those with the smallest magnitudes.</summary>
    /// <param name="model">The trained model; its pruned weights become zero.</param>
    /// <param name="share">Share of the remaining weights, 0 to 1.</param>
    /// <exception cref="ArgumentException">The share is out of range, or the model is another one.</exception>
    public void Prune(nn.Module model, double share)
    {
        Require.That(share is >= 0 and <= 1, share, nameof(share), "0 to 1");
        Masks.On(model);
        using (NewDisposeScope())
        {
            // pruned weights come first, whatever the others are
            var parameters = ModelTensors.Of(model);
            var scores = Masks.Masks.ToDictionary(pair => pair.Key,
                pair => PruningScores.Magnitude(parameters[pair.Key]).masked_fill(pair.Value, -1));
            var next = new ModelMasks(global ? Together(scores, share) : scores.ToDictionary(pair => pair.Key,
                pair => PruningMask.Smallest(pair.Value, Count(pair.Value, share))));
            Masks.Dispose();
            Masks = next;
        }
        Masks.Apply(model);
    }

    /// <summary>Sets all parameters and buffers back to what they were, bit for bit, and the pruned weights to zero.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">It is another model, and stays as it is.</exception>
    public void Rewind(nn.Module model)
    {
        Masks.On(model);
        var tensors = ModelTensors.Of(model);
        foreach (var (name, tensor) in start)
            if (!tensors.TryGetValue(name, out var own) || !own.shape.SequenceEqual(tensor.shape))
                throw new ArgumentException($"The ticket is of another model: {model.GetName()} has no {name} "
                    + $"{tensor.ShapeText()}.",
                    nameof(model));
        using var noGrad = no_grad();
        foreach (var (name, tensor) in start) tensors[name].copy_(tensor);
        Masks.Apply(model);
    }

    /// <inheritdoc/>
    public override string ToString() => $"lottery ticket: {Masks}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in start.Values) tensor.Dispose();
        Masks.Dispose();
    }

    /// <summary>Pruned weights after a round: those of before, and the share of the others.</summary>
    private static long Count(Tensor scores, double share)
    {
        using var before = scores.eq(-1);
        using var sum = before.sum();
        var pruned = sum.item<long>();
        return pruned + (long)Math.Round(share * (scores.numel() - pruned), MidpointRounding.ToEven);
    }

    private static Dictionary<string, Tensor> Together(Dictionary<string, Tensor> scores, double share)
    {
        var all = cat([.. scores.Values.Select(one => one.flatten())]);
        var parts = PruningMask.Smallest(all, Count(all, share)).split([.. scores.Values.Select(one => one.numel())]);
        return scores.Zip(parts).ToDictionary(pair => pair.First.Key,
            pair => pair.Second.reshape(pair.First.Value.shape).clone());
    }
}
