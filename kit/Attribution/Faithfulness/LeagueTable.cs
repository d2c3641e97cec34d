using System.Globalization;
using ResearchKit.Interpretability;
using ResearchKit.Results;
using ResearchKit.Tensors;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Attribution;

/// <summary>One method in a <see cref="LeagueTable"/>.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Deletion">Mean area under the deletion curve, of the score; small is good.</param>
/// <param name="Insertion">Mean area under the insertion curve; large is good.</param>
/// <param name="Correlation">Mean faithfulness correlation; 1 is best.</param>
/// <param name="Sparseness">Mean Gini index.</param>
/// <param name="Seconds">Time to explain the batch.</param>
public sealed record LeagueRow(
    string Method, double Deletion, double Insertion, double Correlation, double Sparseness, double Seconds);

/// <summary>Attribution methods side by side, with random attributions as the floor.</summary>
/// <param name="Target">What was explained.</param>
/// <param name="Rows">The methods in the order given, the floor last: the mean of its seeds.</param>
/// <param name="FloorBands">The lowest and highest value of each number over the seeds of the floor.</param>
public sealed record LeagueTable(
    string Target, IReadOnlyList<LeagueRow> Rows, IReadOnlyDictionary<string, (double Low, double High)> FloorBands)
{
    /// <summary>Explains a batch by every method and tests each explanation in the same way.</summary>
    /// <param name="model">The model.</param>
    /// <param name="input">[batch, ...].</param>
    /// <param name="target">The number to explain.</param>
    /// <param name="methods">
    /// The methods. Attributions with more axes than the input, such as to the embeddings of tokens, are summed over those;
    /// one channel, such as a class activation map's, counts for every channel of the input.
    /// </param>
    /// <param name="options">How features are replaced; null for the defaults.</param>
    /// <param name="seeds">How many random attributions make the floor.</param>
    /// <param name="progress">Reports the share that is done.</param>
    /// <param name="cancellation">Stops between two methods.</param>
    /// <exception cref="ArgumentException">Attributions do not fit the input's values.</exception>
    public static LeagueTable Of(Module<Tensor, Tensor> model, Tensor input, Target target,
        IReadOnlyList<AttributionMethod> methods, PerturbationOptions? options = null, int seeds = 5,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(target);
        Require.AtLeast(1, seeds);
        options ??= new PerturbationOptions();
        AttributionMethod[] all =
            [.. methods, .. Enumerable.Range(0, seeds).Select(seed => new RandomAttribution { Seed = seed })];
        var rows = new List<LeagueRow>();
        foreach (var method in all)
        {
            cancellation.ThrowIfCancellationRequested();
            rows.Add(Row(model, input, target, method, options, cancellation));
            progress?.Report((double)rows.Count / all.Length);
        }
        var floor = rows[methods.Count..];
        double Mean(Func<LeagueRow, double> number) => floor.Average(number);
        return new LeagueTable(target.Name,
            [.. rows[..methods.Count],
                new LeagueRow($"random, {seeds} seeds", Mean(row => row.Deletion), Mean(row => row.Insertion),
                Mean(row => row.Correlation), Mean(row => row.Sparseness), Mean(row => row.Seconds))],
            new Dictionary<string, (double, double)>
            {
                [nameof(LeagueRow.Deletion)] = Band(row => row.Deletion),
                [nameof(LeagueRow.Insertion)] = Band(row => row.Insertion),
                [nameof(LeagueRow.Correlation)] = Band(row => row.Correlation),
                [nameof(LeagueRow.Sparseness)] = Band(row => row.Sparseness),
            });
        (double, double) Band(Func<LeagueRow, double> number) => (floor.Min(number), floor.Max(number));
    }

    /// <summary>Returns the rows as a table, which notebooks draw; the last rows are the floor's lowest and highest.</summary>
    public ResultTable ToTable() => ResultTable.Of([.. Rows, Bound("lowest of the random", band => band.Low),
        Bound("highest of the random", band => band.High)]);

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', Rows.Select(row => string.Create(CultureInfo.InvariantCulture,
        $"{row.Method}: deletion {row.Deletion:g3}, insertion {row.Insertion:g3}, correlation {row.Correlation:g3}, "
        + $"sparseness {row.Sparseness:g3}")));

    private LeagueRow Bound(string name, Func<(double Low, double High), double> which)
    {
        double Of(string number) => FloorBands.TryGetValue(number, out var band) ? which(band) : double.NaN;
        return new LeagueRow(name, Of(nameof(LeagueRow.Deletion)), Of(nameof(LeagueRow.Insertion)),
            Of(nameof(LeagueRow.Correlation)), Of(nameof(LeagueRow.Sparseness)), Rows[^1].Seconds);
    }

    private static LeagueRow Row(
        Module<Tensor, Tensor> model, Tensor input, Target target, AttributionMethod method, PerturbationOptions options,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var map = method.Attribute(model, input, target, cancellation: cancellation);
        var values = Fitted(method, map.Values, input);
        var correlations = Faithfulness.Correlation(model, input, target, values, options).Where(double.IsFinite).ToList();
        return new LeagueRow(method.Name,
            PerturbationCurve.Deletion(model, input, target, values, options).Areas.Average(),
            PerturbationCurve.Insertion(model, input, target, values, options).Areas.Average(),
            correlations.Count > 0 ? correlations.Average() : double.NaN,   // of the examples on which something varies
            Faithfulness.Sparseness(map.Values).Average(), map.Evidence.Seconds);
    }

    /// <summary>Attributions of the input's shape.</summary>
    private static Tensor Fitted(AttributionMethod method, Tensor values, Tensor input)
    {
        var (given, wanted) = (values.shape, input.shape);
        if (given.SequenceEqual(wanted)) return values;
        if (given.Length > wanted.Length && given.Take(wanted.Length).SequenceEqual(wanted))
            return values.flatten(wanted.Length).sum(dim: -1);
        if (given.Length == wanted.Length && given.Length > 2 && given[1] == 1
            && given.Where((_, axis) => axis != 1).SequenceEqual(wanted.Where((_, axis) => axis != 1)))
            return values.expand(wanted).contiguous();
        throw new ArgumentException($"{method.Name} attributes to {values.ShapeText()}; a comparison needs attributions of the "
            + $"input's own values, {input.ShapeText()}.");
    }
}
