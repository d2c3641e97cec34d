using System.Diagnostics;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>What one head does, on average over a corpus; shares of attention from 0 to 1.</summary>
/// <param name="Layer">Number of the layer, from 0.</param>
/// <param name="Head">Number of the head, from 0.</param>
/// <param name="PreviousToken">Attention to the token before; mean over the queries that have one.</param>
/// <param name="Duplicate">Attention to earlier copies of the query's token; mean over the queries that have one.</param>
/// <param name="Induction">
/// Attention to the tokens that follow earlier copies of the query's token; mean over the queries that have one.
/// </param>
/// <param name="Self">Attention to the query itself.</param>
/// <param name="FirstToken">Attention to the first token of the text; mean over all other queries.</param>
/// <param name="Entropy">Mean entropy of a query's pattern, in nats.</param>
/// <param name="MeanDistance">Mean distance of what is attended to, in tokens.</param>
/// <param name="Copying">
/// Copying score of the OV circuit, from -1 to 1 (<see cref="HeadCircuits.Copying(HeadWeights, Tensor, Tensor)"/>); NaN for a
/// model without token embedding and output layer.
/// </param>
public sealed record HeadScores(int Layer, int Head, double PreviousToken, double Duplicate, double Induction, double Self,
    double FirstToken, double Entropy, double MeanDistance, double Copying);

/// <summary>Every head of a model, measured on a corpus.</summary>
/// <param name="Heads">The heads, by layer.</param>
/// <param name="Example">The patterns of the beginning of the first text.</param>
/// <param name="QueryComposition">Composition of queries; see <see cref="HeadCircuits.Composition"/>.</param>
/// <param name="KeyComposition">Composition of keys.</param>
/// <param name="ValueComposition">Composition of values.</param>
public sealed record HeadReport(IReadOnlyList<HeadScores> Heads, AttentionMaps Example, Grid QueryComposition,
    Grid KeyComposition, Grid ValueComposition)
{
    private const int ExampleLength = 64;

    /// <summary>What was run, and whether the patterns are distributions.</summary>
    public Evidence? Evidence { get; init; }

    /// <summary>Measures the heads of a model on texts.</summary>
    /// <param name="model">A model with self-attention, hook points and weights that <see cref="HeadWeights.Of"/> reads.</param>
    /// <param name="corpus">Batches of tokens without padding, int64 [batch, time].</param>
    /// <param name="decode">Text of a token, for the labels of the example; null for its number.</param>
    /// <param name="progress">Reports the batches that are done.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <exception cref="ArgumentException">The corpus is empty or not tokens, or the model has no such attention.</exception>
    public static HeadReport Of(Module<Tensor, Tensor> model, IEnumerable<Tensor> corpus, Func<long, string>? decode = null,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(corpus);
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var training = model.training;
        model.eval();
        try
        {
            using var sums = new HeadSums();
            AttentionMaps? example = null;
            foreach (var tokens in corpus)
            {
                cancellation.ThrowIfCancellationRequested();
                if (tokens.dim() != 2 || tokens.dtype != ScalarType.Int64 || tokens.numel() == 0)
                    throw new ArgumentException($"Got a batch {tokens.ShapeText()} of {tokens.dtype}; expected tokens, int64 "
                        + "[batch, time].",
                        nameof(corpus));
                example ??= Beginning(model, tokens, decode);
                sums.Add(model, tokens);
                progress?.Report(sums.Batches);
            }
            if (example is null) throw new ArgumentException("The corpus has no batch.", nameof(corpus));
            return Finish(model, sums, example, watch);
        }
        finally
        {
            model.train(training);
        }
    }

    /// <summary>One score of every head as a grid of layers and heads.</summary>
    /// <param name="name">Name of the score, such as <c>nameof(HeadScores.Induction)</c>.</param>
    /// <exception cref="KeyNotFoundException">There is no such score; the message lists those that exist.</exception>
    public Grid Score(string name)
    {
        var property = typeof(HeadScores).GetProperty(name) is { } found && found.PropertyType == typeof(double) ? found
            : throw new KeyNotFoundException($"There is no score '{name}'; there are " + string.Join(", ", typeof(HeadScores)
                .GetProperties().Where(one => one.PropertyType == typeof(double)).Select(one => one.Name)) + ".");
        var layers = Heads.GroupBy(head => head.Layer).OrderBy(layer => layer.Key).ToList();
        var values = new double[layers.Count, layers.Max(layer => layer.Count())];
        for (var row = 0; row < values.GetLength(0); row++)
            for (var column = 0; column < values.GetLength(1); column++)
                values[row, column] = layers[row].ElementAtOrDefault(column) is { } head ? (double)property.GetValue(head)!
                    : double.NaN;
        var unit = name == nameof(HeadScores.Entropy) ? "nats" : name == nameof(HeadScores.MeanDistance) ? "tokens" : "";
        return new Grid(name, unit,
            [.. layers.Select(layer => $"{layer.Key}")],
            [.. Enumerable.Range(0, values.GetLength(1)).Select(head => $"{head}")], values)
        {
            RowAxis = "layer",
            ColumnAxis = "head",
            Evidence = Evidence,
        };
    }

    /// <summary>The scores as a table, a row for each head.</summary>
    public ResultTable ToTable() => ResultTable.Of(Heads);

    /// <inheritdoc/>
    public override string ToString() => $"{Heads.Count} heads in {Heads.Select(head => head.Layer).Distinct().Count()} layers"
        + (Evidence is null ? "" : $" ({Evidence})");

    private static AttentionMaps Beginning(Module<Tensor, Tensor> model, Tensor tokens, Func<long, string>? decode)
    {
        using var first = tokens.narrow(0, 0, 1).narrow(1, 0, Math.Min(ExampleLength, tokens.shape[1])).contiguous();
        using var onHost = first.cpu();
        var ids = onHost.data<long>().ToArray();
        return model.Attention(first, [.. ids.Select(decode ?? (id => $"{id}"))]);
    }

    private static HeadReport Finish(Module<Tensor, Tensor> model, HeadSums sums, AttentionMaps example, Stopwatch watch)
    {
        var weights = HeadWeights.Of(model);
        var overlap = HeadWeights.Vocabulary(model) is { } tables
            ? HeadCircuits.Overlap(tables.Embedding, tables.Unembedding) : null;
        var copying = weights.ToDictionary(head => (head.Layer, head.Head),
            head => overlap is null ? double.NaN : HeadCircuits.Copying(head, overlap));
        return new HeadReport([.. sums.Scores(copying)], example, HeadCircuits.Composition(model, CompositionKind.Query),
            HeadCircuits.Composition(model, CompositionKind.Key), HeadCircuits.Composition(model, CompositionKind.Value))
        {
            Evidence = new Evidence
            {
                Law = "each query's attention sums to 1",
                Error = sums.Error,
                Tolerance = 1e-5,
                ForwardPasses = sums.Batches + 1,
                Seconds = watch.Elapsed.TotalSeconds,
                Notes = [$"{sums.Tokens:#,0} tokens"],
            },
        };
    }
}
