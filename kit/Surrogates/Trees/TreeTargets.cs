namespace ResearchKit.Surrogates;

/// <summary>Labels and weights of the rows, and the sums over sets of rows that the impurity is made of.</summary>
internal sealed class TreeTargets
{
    private readonly int[]? classes;
    private readonly double[] numbers = [];
    private readonly double[] weights;
    private readonly double centre;
    private readonly TreeCriterion criterion;

    public TreeTargets(int[] classes, int count, double[] weights, TreeCriterion criterion)
    {
        this.classes = classes;
        this.weights = weights;
        this.criterion = criterion;
        Width = count;
    }

    public TreeTargets(double[] numbers, double[] weights)
    {
        centre = numbers.Average();     // keeps the variance exact where the targets are far from 0
        this.numbers = Array.ConvertAll(numbers, number => number - centre);
        this.weights = weights;
        Width = 1;
    }

    /// <summary>Number of classes, or 1.</summary>
    public int Width { get; }

    public bool IsClassifier => classes is not null;

    public double Weight(int row) => weights[row];

    /// <summary>Adds a row to sums: the weights of the classes, or the weighted target.</summary>
    public void Add(double[] sums, int row, double sign)
    {
        if (classes is not null) sums[classes[row]] += sign * weights[row];
        else sums[0] += sign * weights[row] * numbers[row];
    }

    public (double[] Sums, double Weight) Sum(ReadOnlySpan<int> rows)
    {
        var sums = new double[Width];
        var weight = 0.0;
        foreach (var row in rows)
        {
            Add(sums, row, 1);
            weight += weights[row];
        }
        return (sums, weight);
    }

    public double Impurity(ReadOnlySpan<int> rows)
    {
        var (sums, weight) = Sum(rows);
        if (classes is not null) return criterion == TreeCriterion.Entropy ? Entropy(sums, weight) : Gini(sums, weight);
        var mean = sums[0] / weight;
        var squares = 0.0;
        foreach (var row in rows) squares += weights[row] * (numbers[row] - mean) * (numbers[row] - mean);
        return squares / weight;
    }

    /// <summary>
    /// Weight times impurity of a set, up to a term that is the same for every split of a node: what a split minimizes.
    /// </summary>
    public double Cost(double[] sums, double weight)
    {
        if (IsClassifier && criterion == TreeCriterion.Entropy) return weight * Entropy(sums, weight);
        var squares = 0.0;
        foreach (var sum in sums) squares += sum * sum;
        return -squares / weight;
    }

    /// <summary>What a node predicts: the weights of the classes, or the mean target.</summary>
    public double[] Value(ReadOnlySpan<int> rows)
    {
        var (sums, weight) = Sum(rows);
        return IsClassifier ? sums : [(sums[0] / weight) + centre];
    }

    private static double Gini(double[] sums, double weight)
    {
        var squares = 0.0;
        foreach (var sum in sums) squares += sum * sum;
        return 1 - (squares / (weight * weight));
    }

    private static double Entropy(double[] sums, double weight)
    {
        var bits = 0.0;
        foreach (var sum in sums)
            if (sum > 0) bits -= sum / weight * Math.Log2(sum / weight);
        return bits;
    }
}
