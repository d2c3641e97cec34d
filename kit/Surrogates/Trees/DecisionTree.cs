using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>A classification or regression tree (CART), grown by the definition of scikit-learn.</summary>
/// <remarks>
/// Breiman, Friedman, Olshen and Stone, 1984. Values are rounded to float32. A threshold is the middle between two neighbouring
/// values, and a row goes to the left if its value is not above it. Of equally good splits it takes the one of the lowest
/// feature and threshold; scikit-learn takes one at random.
/// </remarks>
public sealed class DecisionTree : ITabularModel
{
    private DecisionTree(IReadOnlyList<TreeNode> nodes, bool isClassifier, IReadOnlyList<string> features,
        IReadOnlyList<string> classes)
    {
        Nodes = nodes;
        IsClassifier = isClassifier;
        FeatureNames = features;
        ClassNames = classes;
    }

    /// <summary>Grows a tree.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <param name="y">
    /// [rows]: whole numbers are classes from 0 and give a classification tree; floating-point numbers give a regression tree.
    /// </param>
    /// <param name="options">How it grows; null for defaults.</param>
    /// <param name="weights">Weight of each row, [rows]; null for 1.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite; the message says where.</exception>
    public static DecisionTree Fit(Tensor x, Tensor y, DecisionTreeOptions? options = null, Tensor? weights = null)
    {
        var rows = Examples.Rows(x);
        ArgumentNullException.ThrowIfNull(y);
        return y.is_floating_point()
            ? Fit(rows, Examples.Targets(y, rows.Length), options ?? new(), Weights(weights, rows.Length))
            : Fit(rows, Examples.Classes(y, rows.Length), options ?? new(), Weights(weights, rows.Length));
    }

    /// <summary>The nodes; the root is the first.</summary>
    public IReadOnlyList<TreeNode> Nodes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Names of the classes; empty for a regression tree.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <inheritdoc/>
    public bool IsClassifier { get; }

    /// <summary>Largest number of splits between the root and a leaf.</summary>
    public int Depth => Nodes.Max(node => node.Depth);

    /// <summary>Number of leaves.</summary>
    public int Leaves => Nodes.Count(node => node.IsLeaf);

    /// <summary>
    /// Decrease of the impurity by the splits of each feature, weighted by the rows they split; the numbers sum to 1, or are all
    /// 0 for a tree without a split.
    /// </summary>
    public IReadOnlyList<double> FeatureImportances
    {
        get
        {
            var decreases = new double[FeatureNames.Count];
            foreach (var node in Nodes.Where(node => !node.IsLeaf))
                decreases[node.Feature] += Cost(node) - Cost(Nodes[node.Left]) - Cost(Nodes[node.Right]);
            var sum = decreases.Sum();
            return sum > 0 ? Array.ConvertAll(decreases, decrease => decrease / sum) : decreases;

            static double Cost(TreeNode node) => node.WeightedSamples * node.Impurity;
        }
    }

    /// <inheritdoc/>
    public Tensor Predict(Tensor x)
    {
        var leaves = LeavesOf(x);
        return IsClassifier ? tensor(Array.ConvertAll(leaves, leaf => (long)ClassOf(Nodes[leaf])))
            : tensor(Array.ConvertAll(leaves, leaf => Nodes[leaf].Value[0]));
    }

    /// <summary>Returns the share of each class in the leaf of each row.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Float64 [rows, classes].</returns>
    /// <exception cref="InvalidOperationException">The tree predicts numbers.</exception>
    public Tensor PredictProbabilities(Tensor x)
    {
        if (!IsClassifier) throw new InvalidOperationException("A regression tree has no probabilities; call Predict.");
        return Examples.ToTensor(Array.ConvertAll(LeavesOf(x), leaf => Output(Nodes[leaf])));
    }

    /// <summary>Returns the number of the leaf of each row.</summary>
    /// <param name="x">Finite numbers [rows, features].</param>
    /// <returns>Int64 [rows].</returns>
    public Tensor Apply(Tensor x) => tensor(Array.ConvertAll(LeavesOf(x), leaf => (long)leaf));

    /// <summary>Returns the rule of each leaf, from left to right.</summary>
    public IReadOnlyList<Rule> Rules() => TreeRules.Of(this);

    /// <inheritdoc/>
    public string ToText() => ToText(2);

    /// <summary>Writes the tree with a line for each branch, as scikit-learn's <c>export_text</c>.</summary>
    /// <param name="decimals">Digits after the decimal point of the thresholds.</param>
    public string ToText(int decimals) => TreeText.Write(this, decimals);

    /// <summary>Writes the tree as a Mermaid flowchart.</summary>
    public string ToMermaid() => TreeMermaid.Write(this);

    /// <summary>Returns the tree as a graph, with the number of training rows as the weight of an edge.</summary>
    public Results.Graph ToGraph() => TreeMermaid.Graph(this);

    /// <inheritdoc/>
    public override string ToString() => $"{(IsClassifier ? "classification" : "regression")} tree of {Leaves} leaves, "
        + $"depth {Depth}, {FeatureNames.Count} features";

    internal static DecisionTree Fit(double[][] rows, int[] classes, DecisionTreeOptions options, double[] weights)
    {
        var count = Math.Max(classes.Max() + 1, options.ClassNames?.Count ?? 0);
        IReadOnlyList<string> names = options.ClassNames ?? [.. Enumerable.Range(0, count).Select(label => $"{label}")];
        if (names.Count < count)
            throw new ArgumentException($"y holds the class {count - 1}, but there are {names.Count} names of classes.");
        return Grow(rows, new TreeTargets(classes, count, weights, options.Criterion), options, names);
    }

    internal static DecisionTree Fit(double[][] rows, double[] numbers, DecisionTreeOptions options, double[] weights) =>
        Grow(rows, new TreeTargets(numbers, weights), options, []);

    /// <summary>Returns the number of the leaf of a row.</summary>
    internal int LeafOf(double[] row)
    {
        var node = Nodes[0];
        while (!node.IsLeaf) node = Nodes[(float)row[node.Feature] <= node.Threshold ? node.Left : node.Right];
        return node.Id;
    }

    /// <summary>What a node says: the shares of the classes, or the mean target.</summary>
    internal double[] Output(TreeNode node) => IsClassifier
        ? [.. node.Value.Select(weight => weight / node.WeightedSamples)] : [node.Value[0]];

    /// <summary>The class of a node; of equal ones the lowest.</summary>
    internal static int ClassOf(TreeNode node)
    {
        var best = 0;
        for (var label = 1; label < node.Value.Count; label++)
            if (node.Value[label] > node.Value[best]) best = label;
        return best;
    }

    private static DecisionTree Grow(double[][] rows, TreeTargets targets, DecisionTreeOptions options,
        IReadOnlyList<string> classes)
    {
        options.Validated();
        var names = Examples.Names(options.FeatureNames, rows[0].Length);
        var rounded = Array.ConvertAll(rows, row => Array.ConvertAll(row, value => (double)(float)value));
        var grown = new TreeGrower(rounded, targets, options).Nodes;
        return new DecisionTree(TreePruning.Prune(grown, options.CcpAlpha), targets.IsClassifier, names, classes);
    }

    private int[] LeavesOf(Tensor x)
    {
        var rows = Examples.Rows(x);
        if (rows[0].Length != FeatureNames.Count)
            throw new ArgumentException($"Got {rows[0].Length} features; the tree was grown on {FeatureNames.Count}.", nameof(x));
        return Array.ConvertAll(rows, LeafOf);
    }

    private static double[] Weights(Tensor? weights, int rows)
    {
        if (weights is null) return [.. Enumerable.Repeat(1.0, rows)];
        var numbers = Examples.Targets(weights, rows);
        if (numbers.Any(weight => weight < 0) || !numbers.Any(weight => weight > 0))
            throw new ArgumentException("Weights of rows must be at least 0, and one must be above 0.", nameof(weights));
        return numbers;
    }
}
