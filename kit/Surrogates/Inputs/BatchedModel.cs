using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Calls a model on rows of numbers, in batches, in the dtype and on the device of the user's table.</summary>
internal sealed class BatchedModel
{
    private readonly Func<Tensor, Tensor> model;
    private readonly ScalarType dtype;
    private readonly Device device;
    private readonly int batch;

    /// <param name="model">Takes [rows, features], returns [rows], [rows, 1] or [rows, classes].</param>
    /// <param name="like">A table of the dtype and on the device that the model expects, [rows, features].</param>
    /// <param name="batch">Rows of a call.</param>
    /// <exception cref="ArgumentException">
    /// The output of a row depends on the other rows of the batch, or has no row for each input row.
    /// </exception>
    public BatchedModel(Func<Tensor, Tensor> model, Tensor like, int batch = 4096)
    {
        ArgumentNullException.ThrowIfNull(model);
        Tensors.Require.AtLeast(1, batch);
        this.model = model;
        this.batch = batch;
        dtype = like.is_floating_point() ? like.dtype : ScalarType.Float32;
        device = like.device;
        using var rows = like.reshape(-1, like.shape[^1]);
        Outputs = RequireIndependence(Examples.Rows(rows));
    }

    /// <summary>Numbers that the model returns for a row.</summary>
    public int Outputs { get; }

    /// <summary>Calls so far, each of one batch.</summary>
    public int Calls { get; private set; }

    /// <summary>Rows that the model has seen so far.</summary>
    public long RowsSeen { get; private set; }

    /// <summary>Returns the outputs of each row, [row][output].</summary>
    /// <exception cref="ArgumentException">The model returned something else than one finite result for each row.</exception>
    public double[][] Call(IReadOnlyList<double[]> rows, CancellationToken cancellation = default)
    {
        var results = new double[rows.Count][];
        for (var first = 0; first < rows.Count; first += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            Batch(rows, first, Math.Min(batch, rows.Count - first), results);
        }
        return results;
    }

    /// <summary>Returns one output of each row.</summary>
    public double[] Call(IReadOnlyList<double[]> rows, int output, CancellationToken cancellation = default) =>
        Array.ConvertAll(Call(rows, cancellation), result => result[output]);

    /// <summary>Returns the class of each row: the largest output, or whether a single output is above 0.</summary>
    public int[] Classes(IReadOnlyList<double[]> rows, CancellationToken cancellation = default) =>
        Array.ConvertAll(Call(rows, cancellation), ClassOf);

    /// <summary>The class of outputs: the largest one, or whether a single one (a logit) is above 0.</summary>
    public static int ClassOf(double[] outputs) =>
        outputs.Length == 1 ? (outputs[0] > 0 ? 1 : 0) : Largest(outputs);

    /// <summary>Number of the largest value; of equal ones the first.</summary>
    public static int Largest(IReadOnlyList<double> values)
    {
        var best = 0;
        for (var at = 1; at < values.Count; at++)
            if (values[at] > values[best]) best = at;
        return best;
    }

    /// <summary>The number that the model sees, in its own dtype.</summary>
    public double Rounded(double value) => dtype == ScalarType.Float64 ? value : (float)value;

    /// <summary>Requires the number of an output.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such output.</exception>
    public void RequireOutput(int output)
    {
        if (output < 0 || output >= Outputs)
            throw new ArgumentOutOfRangeException(nameof(output), output,
                $"The model returns {Outputs} numbers for a row; expected an output from 0 to {Outputs - 1}.");
    }

    private void Batch(IReadOnlyList<double[]> rows, int first, int count, double[][] results)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var width = rows[first].Length;
        var flat = new double[count * width];
        for (var row = 0; row < count; row++) rows[first + row].CopyTo(flat, row * width);
        var made = model(tensor(flat, [count, width], dtype: ScalarType.Float64).to(dtype).to(device));
        if (made.dim() is 0 or > 2 || made.shape[0] != count)
            throw new ArgumentException($"The model returned {made.ShapeText()} for {count} rows; expected [{count}] "
                + $"or [{count}, outputs].");
        var outputs = made.dim() == 1 ? 1 : (int)made.shape[1];
        var numbers = made.to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        if (Array.Find(numbers, number => !double.IsFinite(number)) is var odd && !double.IsFinite(odd))
            throw new ArgumentException(FormattableString.Invariant($"The model returned {odd}; expected finite numbers."));
        for (var row = 0; row < count; row++) results[first + row] = numbers.AsSpan(row * outputs, outputs).ToArray();
        Calls++;
        RowsSeen += count;
    }

    /// <summary>Compares a row alone with the same row in a batch, and returns the number of outputs.</summary>
    private int RequireIndependence(double[][] rows)
    {
        var together = Call(rows.Length > 8 ? rows[..8] : rows);
        var alone = Call([rows[0]])[0];
        for (var output = 0; output < alone.Length; output++)
            if (Math.Abs(alone[output] - together[0][output]) > 1e-3 * (1 + Math.Abs(alone[output])))
                throw new ArgumentException(FormattableString.Invariant($"The model returns {alone[output]:g4} for the first ")
                    + FormattableString.Invariant($"row alone and {together[0][output]:g4} for it in a batch; call eval() ")
                    + "on a model with batch norm or dropout.");
        Calls = 0;
        RowsSeen = 0;
        return alone.Length;
    }
}
