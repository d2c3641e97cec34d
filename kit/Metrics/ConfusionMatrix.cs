using System.Globalization;
using System.Text;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Metrics;

/// <summary>How precision, recall and F1 of several classes become one number.</summary>
public enum Average
{
    /// <summary>The mean over the classes that occur as a target or as a prediction.</summary>
    Macro,

    /// <summary>Of the counts of all classes together; with one label an example it equals the accuracy.</summary>
    Micro,

    /// <summary>The mean over the classes, weighted by their number of targets.</summary>
    Weighted,
}

/// <summary>How often each class was predicted for each target class.</summary>
/// <remarks>The definitions are those of scikit-learn with <c>zero_division=0</c>.</remarks>
/// <param name="Counts">[target, predicted].</param>
/// <param name="Labels">Names of the classes, in the order of their numbers.</param>
public sealed record ConfusionMatrix(long[,] Counts, IReadOnlyList<string> Labels)
{
    /// <summary>Number of classes.</summary>
    public int Classes => Counts.GetLength(0);

    /// <summary>Number of predictions.</summary>
    public long Total => Counts.Cast<long>().Sum();

    /// <summary>Share of right predictions; NaN without any.</summary>
    public double Accuracy => Enumerable.Range(0, Classes).Sum(Right) / (double)Total;

    /// <summary>Counts predictions: the class with the largest logit against the target.</summary>
    /// <param name="logits">[..., classes].</param>
    /// <param name="targets">int64 [...]; -100 is ignored.</param>
    /// <param name="classes">Number of classes, at least as many as the logits have; null for theirs.</param>
    /// <param name="labels">Names of the classes; null for their numbers.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a target is not a class.</exception>
    public static ConfusionMatrix Of(Tensor logits, Tensor targets, int? classes = null, IReadOnlyList<string>? labels = null)
    {
        using var scope = NewDisposeScope();
        var (rows, wanted) = Predictions.Rows(logits, targets);
        var count = classes ?? (int)rows.shape[1];
        if (rows.shape[1] > count)
            throw new ArgumentException($"Got logits {logits.ShapeText()} for {count} classes; expected as many logits as "
                + "classes.", nameof(logits));
        if (labels is not null && labels.Count != count)
            throw new ArgumentException($"Got {labels.Count} labels for {count} classes.", nameof(labels));
        var places = bincount((wanted * count) + rows.argmax(1), minlength: (long)count * count).cpu().data<long>().ToArray();
        return new(Square(places, count), labels
            ?? [.. Enumerable.Range(0, count).Select(number => number.ToString(CultureInfo.InvariantCulture))]);
    }

    /// <summary>Adds the counts of another batch of the same classes.</summary>
    /// <exception cref="ArgumentException">The numbers of classes differ.</exception>
    public static ConfusionMatrix operator +(ConfusionMatrix one, ConfusionMatrix other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        if (one.Classes != other.Classes)
            throw new ArgumentException($"Got matrices of {one.Classes} and {other.Classes} classes.", nameof(other));
        return one with
        {
            Counts =
            Square([.. one.Counts.Cast<long>().Zip(other.Counts.Cast<long>(), (first, second) => first + second)], one.Classes)
        };
    }

    /// <summary>Of the predictions of a class, the share that is right; 0 where it was never predicted.</summary>
    public double Precision(int label) => Share(Right(label), Predicted(label));

    /// <summary>Of the targets of a class, the share that was predicted; 0 where it is never a target.</summary>
    public double Recall(int label) => Share(Right(label), Targets(label));

    /// <summary>2 · right / (predicted + targets) of a class; 0 where it occurs in neither.</summary>
    public double F1(int label) => Share(2 * Right(label), Predicted(label) + Targets(label));

    /// <summary>Precision of all classes; NaN without predictions.</summary>
    public double Precision(Average average) => Mean(average, Precision);

    /// <summary>Recall of all classes; NaN without predictions.</summary>
    public double Recall(Average average) => Mean(average, Recall);

    /// <summary>F1 of all classes; NaN without predictions.</summary>
    public double F1(Average average) => Mean(average, F1);

    /// <summary>The table as text: a row for each target, a column for each prediction.</summary>
    public override string ToString()
    {
        var names = Labels.Select(label => label.Length > 12 ? label[..12] : label).ToList();
        var width = Math.Max(names.Max(name => name.Length),
            Counts.Cast<long>().Max().ToString(CultureInfo.InvariantCulture).Length);
        var text = new StringBuilder().Append("target \\ predicted\n").Append(' ', width);
        foreach (var name in names) text.Append("  ").Append(name.PadLeft(width));
        for (var target = 0; target < Classes; target++)
        {
            text.Append('\n').Append(names[target].PadRight(width));
            for (var predicted = 0; predicted < Classes; predicted++)
                text.Append("  ").Append(Counts[target, predicted].ToString(CultureInfo.InvariantCulture).PadLeft(width));
        }
        return text.ToString();
    }

    internal static ConfusionMatrix FromSums(IReadOnlyList<double> sums, int classes) =>
        new(Square([.. sums.Select(sum => (long)sum)], classes),
            [.. Enumerable.Range(0, classes).Select(number => number.ToString(CultureInfo.InvariantCulture))]);

    private double Mean(Average average, Func<int, double> value)
    {
        if (Total == 0) return double.NaN;
        if (average == Average.Micro) return Accuracy;
        var occurring = Enumerable.Range(0, Classes).Where(label => Predicted(label) + Targets(label) > 0).ToList();
        return average == Average.Macro
            ? occurring.Average(value) : occurring.Sum(label => value(label) * Targets(label)) / Total;
    }

    private long Right(int label) => Counts[label, label];

    private long Targets(int label) => Enumerable.Range(0, Classes).Sum(predicted => Counts[label, predicted]);

    private long Predicted(int label) => Enumerable.Range(0, Classes).Sum(target => Counts[target, label]);

    private static double Share(long part, long whole) => whole == 0 ? 0 : part / (double)whole;

    private static long[,] Square(long[] values, int side)
    {
        var square = new long[side, side];
        Buffer.BlockCopy(values, 0, square, 0, values.Length * sizeof(long));
        return square;
    }
}
