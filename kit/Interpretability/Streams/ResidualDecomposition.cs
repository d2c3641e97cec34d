using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>
/// The residual stream as a sum of what embeddings, heads, biases and MLPs wrote to it.
/// </summary>
/// <remarks>
/// Elhage et al., 2021, https://transformer-circuits.pub/2021/framework. In a post-norm model (BERT) every part also passes
/// through the later norms, with their recorded scales, and the biases of the norms are parts too. Numbers are float64.
/// </remarks>
public sealed class ResidualDecomposition : IDisposable
{
    private readonly TransformerParts parts;
    private readonly ActivationCache recording;
    private readonly Dictionary<string, int> indexes;
    private readonly Evidence cost;

    internal ResidualDecomposition(
        TransformerParts parts, ActivationCache recording, IReadOnlyList<(string Label, Tensor Value)> components, Tensor stream,
        Evidence cost)
    {
        this.parts = parts;
        this.recording = recording;
        this.cost = cost;
        Names = [.. components.Select(component => component.Label)];
        indexes = Names.Select((name, index) => (name, index)).ToDictionary(pair => pair.name, pair => pair.index);
        using var scope = NewDisposeScope();
        Components = stack(components.Select(component => component.Value)).DetachFromDisposeScope();
        Stream = stream.to(float64).DetachFromDisposeScope();
        Evidence = cost with { Error = Away(Components.sum(dim: 0), Stream) };
    }

    /// <summary>Names of the parts, such as "layer 1 head 3" and "layer 1 MLP neurons", in the order of computation.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The parts, float64 [part, batch, time, channels].</summary>
    public Tensor Components { get; }

    /// <summary>The stream that they sum to, as the model computed it, float64 [batch, time, channels].</summary>
    public Tensor Stream { get; }

    /// <summary>How far the sum is from the stream.</summary>
    public Evidence Evidence { get; }

    /// <summary>One part, [batch, time, channels]: a view.</summary>
    /// <exception cref="KeyNotFoundException">There is no such part; the message lists the nearest names.</exception>
    public Tensor this[string name] => indexes.TryGetValue(name, out var index) ? Components[index]
        : throw new KeyNotFoundException($"There is no part '{name}'; {Places.Nearest(name, Names)}.");

    /// <summary>What each neuron of an MLP wrote to the stream.</summary>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="example">The example of the batch.</param>
    /// <param name="position">The position; below 0 from the end.</param>
    /// <returns>
    /// float64 [neuron, channels]; the caller disposes it. They sum to "layer L MLP neurons" in a pre-norm model.
    /// </returns>
    /// <exception cref="ArgumentException">The layer has no MLP, or an index lies outside.</exception>
    public Tensor Neurons(int layer, int example, int position)
    {
        var branch = parts.Layers.ElementAtOrDefault(layer)?.Branches.FirstOrDefault(branch => !branch.IsAttention)
            ?? throw new ArgumentException($"There is no MLP in layer {layer}.", nameof(layer));
        using var scope = NewDisposeScope();
        var at = At(example, position);
        var active = recording[branch.Inner][example, at].to(float64);            // [neuron]
        return (active.unsqueeze(1) * branch.Weight.detach().to(float64)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Direct logit attribution: what each part of the final stream adds to the logit of a token, with the recorded scale of the
    /// final norm.
    /// </summary>
    /// <param name="token">The token or class.</param>
    /// <param name="less">A token whose logit is subtracted; null for none.</param>
    /// <param name="example">The example of the batch.</param>
    /// <param name="position">The position; below 0 from the end. An image classifier reads position 0.</param>
    /// <returns>
    /// One row for each part, and rows for the biases of the final norm and of the output layer; they sum to the logit of the
    /// model.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The stream is not the final one, the head is not linear, or an index lies outside.
    /// </exception>
    public Grid LogitAttribution(long token, long? less = null, int example = 0, int position = -1)
    {
        if (parts.Unembedding is not { } table || parts.IsPostNorm)
            throw new ArgumentException($"{parts.Model.GetName()} has no linear head on its residual stream.");
        if (recording.Output is not { } output || indexes.Keys.Max(Activations.LayerOfLabel) != parts.Layers.Count - 1)
            throw new ArgumentException("The decomposition stops before the last layer; the logits depend on the final stream.");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var at = At(example, position);
        var direction = Row(table, token) - (less is { } other ? Row(table, other) : 0);
        var vectors = Components.select(1, example).select(1, at);                // [part, channels]
        var shift = 0.0;
        if (parts.FinalNorm is { } norm)
        {
            var (weight, bias) = parts.NormWeights(norm);
            vectors = DecomposedNorm.Apply(vectors, recording[$"{norm}.hook_scale"][example, at].to(float64), weight, bias);
            if (bias is not null) shift = bias.to(float64).dot(direction).item<double>();
        }
        var values = vectors.matmul(direction).data<double>().ToArray().ToList();
        var rows = Names.ToList();
        Add(rows, values, "final norm bias", shift);
        if (parts.UnembeddingBias is { } output0)
            Add(rows, values, "output bias", Number(output0, token) - (less is { } another ? Number(output0, another) : 0));
        var logits = output.dim() == 2 ? output[example] : output[example, at];
        var expected = Number(logits, token) - (less is { } third ? Number(logits, third) : 0);
        var grid = new double[values.Count, 1];
        for (var row = 0; row < values.Count; row++) grid[row, 0] = values[row];
        var column = less is null ? $"token {token}" : $"token {token} - {less}";
        return new Grid("direct logit attribution", "logits", rows, [column], grid)
        {
            RowAxis = "part",
            Evidence = cost with
            {
                Law = "the parts sum to the logit",
                Error = Math.Abs(values.Sum() - expected) / Math.Max(logits.abs().max().to(float64).item<double>(), 1e-30),
            },
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Components.Dispose();
        Stream.Dispose();
        recording.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"residual stream of {Names.Count} parts ({Evidence})";

    private static void Add(List<string> rows, List<double> values, string name, double value)
    {
        rows.Add(name);
        values.Add(value);
    }

    private static double Number(Tensor vector, long index)
    {
        using var one = vector[index].to(float64);
        return one.item<double>();
    }

    private static Tensor Row(Tensor table, long token) => token >= 0 && token < table.shape[0] ? table[token].to(float64)
        : throw new ArgumentException($"There is no token {token}; the model has {table.shape[0]}.", nameof(token));

    private int At(int example, int position)
    {
        var (batch, time, _) = Stream.Axes3();
        if (example < 0 || example >= batch)
            throw new ArgumentException($"There is no example {example}; the batch has {batch}.");
        return position >= -time && position < time ? (int)((position + time) % time)
            : throw new ArgumentException($"There is no position {position}; the text has {time} tokens.");
    }

    /// <summary>The largest difference, relative to the largest value.</summary>
    private static double Away(Tensor sum, Tensor stream) =>
        ((sum - stream).abs().max() / stream.abs().max().clamp_min(1e-30)).item<double>();
}
