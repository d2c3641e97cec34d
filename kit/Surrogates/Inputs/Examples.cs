using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>Reads tables and labels out of tensors, and checks them.</summary>
internal static class Examples
{
    /// <summary>Returns the rows of a table as float64.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="name">Name of the argument, for messages.</param>
    /// <exception cref="ArgumentException">The table is empty, has other axes, or holds a number that is not finite.</exception>
    public static double[][] Rows(Tensor x, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x);
        var (count, features) = x.Axes2($"{name} of [rows, features]");
        if (count == 0 || features == 0)
            throw new ArgumentException($"{name} is {x.ShapeText()}; expected at least one row and one feature.", name);
        var numbers = Numbers(x, name);
        var rows = new double[count][];
        for (var row = 0; row < count; row++)
            rows[row] = numbers.AsSpan((int)(row * features), (int)features).ToArray();
        return rows;
    }

    /// <summary>Returns one row as float64.</summary>
    /// <param name="x">Finite numbers [features] or [1, features].</param>
    /// <param name="features">Number of features that is expected.</param>
    /// <param name="name">Name of the argument, for messages.</param>
    /// <exception cref="ArgumentException">The row has another shape, or holds a number that is not finite.</exception>
    public static double[] Row(Tensor x, int features, string name = "x")
    {
        ArgumentNullException.ThrowIfNull(x);
        var isRow = x.dim() == 1 || (x.dim() == 2 && x.shape[0] == 1);
        if (!isRow || x.shape[^1] != features)
            throw new ArgumentException($"{name} is {x.ShapeText()}; expected one row of {features} features.", name);
        return Numbers(x, name);
    }

    /// <summary>Returns the classes of rows.</summary>
    /// <param name="y">Whole numbers from 0, [rows] or [rows, 1].</param>
    /// <param name="rows">Number of rows of the table.</param>
    /// <exception cref="ArgumentException">There is another number of labels, or one is negative.</exception>
    public static int[] Classes(Tensor y, int rows)
    {
        Require(y, rows);
        if (y.is_floating_point())
            throw new ArgumentException($"y is {y.dtype}; expected whole numbers, the classes from 0.", nameof(y));
        using var scope = NewDisposeScope();
        var classes = Array.ConvertAll(y.reshape(-1).to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray(),
            label => checked((int)label));
        if (classes.FirstOrDefault(label => label < 0) is var odd && odd < 0)
            throw new ArgumentException($"y holds the class {odd}; expected classes from 0.", nameof(y));
        return classes;
    }

    /// <summary>Returns the numeric targets of rows.</summary>
    /// <param name="y">Finite numbers, [rows] or [rows, 1].</param>
    /// <param name="rows">Number of rows of the table.</param>
    /// <exception cref="ArgumentException">There is another number of targets, or one is not finite.</exception>
    public static double[] Targets(Tensor y, int rows)
    {
        Require(y, rows);
        return Numbers(y, nameof(y));
    }

    /// <summary>Returns the names of features: those given, or x0, x1, ….</summary>
    /// <exception cref="ArgumentException">There is another number of names.</exception>
    public static IReadOnlyList<string> Names(IReadOnlyList<string>? names, int features) => names is null
        ? [.. Enumerable.Range(0, features).Select(feature => $"x{feature}")]
        : names.Count == features ? names
        : throw new ArgumentException($"Got {names.Count} names of features; expected {features}, one for each column of x.");

    /// <summary>Returns the number of a feature, by its name.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name; the message lists those there are.</exception>
    public static int Feature(IReadOnlyList<string> names, string name)
    {
        for (var feature = 0; feature < names.Count; feature++)
            if (names[feature] == name) return feature;
        throw new KeyNotFoundException($"There is no feature '{name}'; there are {string.Join(", ", names)}.");
    }

    /// <summary>Requires the number of a feature.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none of that number.</exception>
    public static void Feature(int feature, int features)
    {
        if (feature < 0 || feature >= features)
            throw new ArgumentOutOfRangeException(nameof(feature), feature, $"Expected a feature from 0 to {features - 1}.");
    }

    /// <summary>Makes a table of rows.</summary>
    /// <returns>Float64 [rows, features].</returns>
    public static Tensor ToTensor(IReadOnlyList<double[]> rows) =>
        tensor([.. rows.SelectMany(row => row)], [rows.Count, rows[0].Length], dtype: ScalarType.Float64);

    private static double[] Numbers(Tensor values, string name)
    {
        using var scope = NewDisposeScope();
        var numbers = values.detach().to(ScalarType.Float64).cpu().contiguous().data<double>().ToArray();
        var odd = Array.FindIndex(numbers, number => !double.IsFinite(number));
        if (odd < 0) return numbers;
        var width = (int)Math.Max(1, values.shape[^1]);
        throw new ArgumentException(values.dim() < 2
            ? FormattableString.Invariant($"{name} holds {numbers[odd]} at {odd}; expected finite numbers.")
            : FormattableString.Invariant(
                $"{name} holds {numbers[odd]} in row {odd / width}, feature {odd % width}; expected finite numbers."), name);
    }

    private static void Require(Tensor y, int rows)
    {
        ArgumentNullException.ThrowIfNull(y);
        var fits = y.dim() == 1 || (y.dim() == 2 && y.shape[1] == 1);
        if (!fits || y.shape[0] != rows)
            throw new ArgumentException($"y is {y.ShapeText()}; expected [{rows}], a value for each row of x.", nameof(y));
    }
}
