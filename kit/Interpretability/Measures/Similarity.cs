using System.Diagnostics;
using ResearchKit.Results;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>Compares the activations of layers, of one model or of two.</summary>
public static class Similarity
{
    /// <summary>Compares each of some activations with each of others.</summary>
    /// <param name="rows">Activations by name, each [samples, features].</param>
    /// <param name="columns">Others of the same samples.</param>
    /// <param name="measure">
    /// The measure; null for linear CKA. Others are <c>(x, y) =&gt; Cca.Correlations(x, y).Mean</c>.
    /// </param>
    /// <param name="title">Title of the grid.</param>
    /// <param name="cancellation">Cancels between two comparisons.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static Grid Between(IReadOnlyList<KeyValuePair<string, Tensor>> rows,
        IReadOnlyList<KeyValuePair<string, Tensor>> columns,
        Func<Tensor, Tensor, double>? measure = null, string title = "similarity", CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(columns);
        measure ??= (x, y) => Cka.Linear(x, y);
        var watch = Stopwatch.StartNew();
        var values = new double[rows.Count, columns.Count];
        for (var row = 0; row < rows.Count; row++)
            for (var column = 0; column < columns.Count; column++)
            {
                cancellation.ThrowIfCancellationRequested();
                values[row, column] = measure(rows[row].Value, columns[column].Value);
            }
        return new Grid(title, "", [.. rows.Select(row => row.Key)], [.. columns.Select(column => column.Key)], values)
        {
            Evidence = new Evidence
            {
                Seconds = watch.Elapsed.TotalSeconds,
                Notes = rows.Count > 0 ? [$"{rows[0].Value.shape[0]:#,0} samples"] : [],
            },
        };
    }

    /// <summary>Runs two models on the same input and compares their layers; each position of each example is a sample.</summary>
    /// <param name="model">The model of the rows.</param>
    /// <param name="other">The model of the columns; may be the same.</param>
    /// <param name="input">Input of both.</param>
    /// <param name="filter">
    /// Selects places by name in both models, such as <c>name =&gt; name.EndsWith("resid_post")</c>; null for these.
    /// </param>
    /// <param name="measure">The measure; null for linear CKA.</param>
    /// <param name="cancellation">Cancels between two comparisons.</param>
    /// <exception cref="ArgumentException">The filter selects nothing, or the models have other numbers of samples.</exception>
    public static Grid OfLayers(Module<Tensor, Tensor> model, Module<Tensor, Tensor> other, Tensor input,
        Func<string, bool>? filter = null,
        Func<Tensor, Tensor, double>? measure = null, CancellationToken cancellation = default)
    {
        filter ??= name => name.EndsWith("hook_resid_post", StringComparison.Ordinal);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var rows = Activations(model, input, filter);
        var columns = ReferenceEquals(model, other) ? rows : Activations(other, input, filter);
        var grid = Between(rows, columns, measure, "similarity of layers", cancellation);
        return grid with
        {
            RowAxis = model.GetName(),
            ColumnAxis = ReferenceEquals(model, other) ? "" : $"other {other.GetName()}"
        };
    }

    private static List<KeyValuePair<string, Tensor>> Activations(
        Module<Tensor, Tensor> model, Tensor input, Func<string, bool> filter)
    {
        var training = model.training;
        model.eval();
        try
        {
            using var cache = ActivationCache.Record(model, filter);
            model.call(input).Dispose();
            return [.. cache.Names.Select(name => KeyValuePair.Create(name, Samples(cache[name])))];
        }
        finally
        {
            model.train(training);
        }
    }

    /// <summary>One row for each position: images have channels second, all else last.</summary>
    private static Tensor Samples(Tensor activation) =>
        activation.dim() == 4 ? activation.mean([2, 3]) : activation.reshape(-1, activation.shape[^1]).clone();
}
