using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How permutation importance is computed.</summary>
public sealed record PermutationImportanceOptions
{
    /// <summary>Permutations of each feature.</summary>
    public int Repeats { get; init; } = 5;

    /// <summary>Seed of the permutations.</summary>
    public int Seed { get; init; }

    /// <summary>
    /// Score of outputs and labels, higher is better; null for the accuracy if labels are whole numbers, else for R².
    /// </summary>
    public Func<Tensor, Tensor, double>? Score { get; init; }

    /// <summary>
    /// The permutations, whole numbers [features, repeats, rows]: column j becomes column j of the rows so numbered. Null to
    /// draw them.
    /// </summary>
    public Tensor? Permutations { get; init; }

    /// <summary>Names of the features; null for x0, x1, ….</summary>
    public IReadOnlyList<string>? FeatureNames { get; init; }
}

/// <summary>How much the score of a model falls when a feature is permuted.</summary>
/// <param name="BaselineScore">Score without a permutation.</param>
/// <param name="Importances">Fall of the score, [feature][repeat].</param>
/// <param name="Scores">Mean and standard deviation (of the population) of each feature.</param>
/// <remarks>
/// Breiman, 2001; Fisher et al., 2019, https://arxiv.org/abs/1801.01489. Features that depend on each other share what they say:
/// each alone may look unimportant.
/// </remarks>
public sealed record PermutationImportance(double BaselineScore, IReadOnlyList<IReadOnlyList<double>> Importances,
    FeatureScores Scores)
{
    /// <summary>Permutes each feature and scores the model.</summary>
    /// <param name="model">Takes [rows, features]; returns classes [rows], numbers [rows], or logits [rows, classes].</param>
    /// <param name="x">Numbers [rows, features], best those of held-out rows.</param>
    /// <param name="y">Labels [rows].</param>
    /// <param name="options">How; null for defaults.</param>
    /// <param name="progress">Receives the share that is done.</param>
    /// <param name="cancellation">Stops the work between two calls of the model.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or a number is not finite.</exception>
    public static PermutationImportance Compute(Func<Tensor, Tensor> model, Tensor x, Tensor y,
        PermutationImportanceOptions? options = null, IProgress<double>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        var known = options ?? new PermutationImportanceOptions();
        var rows = Examples.Rows(x);
        if (y.is_floating_point()) Examples.Targets(y, rows.Length);
        else Examples.Classes(y, rows.Length);
        var (count, features) = (rows.Length, rows[0].Length);
        var names = Examples.Names(known.FeatureNames, features);
        using var scope = NewDisposeScope();
        var orders = Orders(known, features, count);
        var score = known.Score ?? (y.is_floating_point() ? RSquared : Accuracy);
        var baseline = Score(model, x, y, score);
        var falls = new double[features][];
        for (var feature = 0; feature < features; feature++)
        {
            falls[feature] = new double[orders.shape[1]];
            for (var repeat = 0; repeat < falls[feature].Length; repeat++)
            {
                cancellation.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                var permuted = x.clone();
                permuted.select(1, feature).copy_(x.select(1, feature).index_select(0, orders[feature, repeat].to(x.device)));
                falls[feature][repeat] = baseline - Score(model, permuted, y, score);
            }
            progress?.Report((feature + 1.0) / features);
        }
        var means = Array.ConvertAll(falls, each => each.Average());
        return new PermutationImportance(baseline, falls, new FeatureScores("permutation importance", names, means)
        {
            Deviations = [.. falls.Select((each, feature) =>
                Math.Sqrt(each.Average(fall => (fall - means[feature]) * (fall - means[feature]))))],
        });
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Scores}; score {BaselineScore:G4}");

    private static Tensor Orders(PermutationImportanceOptions options, int features, int rows)
    {
        if (options.Permutations is { } given)
        {
            if (given.dim() != 3 || given.shape[0] != features || given.shape[2] != rows || given.shape[1] < 1)
                throw new ArgumentException($"The permutations are {given.ShapeText()}; expected [{features}, repeats, {rows}].");
            var whole = given.to(ScalarType.Int64).cpu();
            if (whole.min().item<long>() < 0 || whole.max().item<long>() >= rows)
                throw new ArgumentException($"The permutations hold numbers outside of 0 to {rows - 1}, the rows of x.");
            return whole;
        }
        Tensors.Require.AtLeast(1, options.Repeats);
        var random = new Random(options.Seed);
        var drawn = new List<long>();
        for (var draw = 0; draw < features * options.Repeats; draw++)
        {
            long[] order = [.. Enumerable.Range(0, rows)];
            random.Shuffle(order);
            drawn.AddRange(order);
        }
        return tensor([.. drawn], [features, options.Repeats, rows]);
    }

    private static double Score(Func<Tensor, Tensor> model, Tensor x, Tensor y, Func<Tensor, Tensor, double> score)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var outputs = model(x);
        if (outputs.dim() == 0 || outputs.shape[0] != x.shape[0])
            throw new ArgumentException($"The model returned {outputs.ShapeText()} for {x.shape[0]} rows; expected a row for "
                + "each.");
        return score(outputs, y.to(outputs.device));
    }

    private static double Accuracy(Tensor outputs, Tensor y)
    {
        var classes = outputs.dim() == 2 && outputs.shape[1] > 1 ? outputs.argmax(1)
            : outputs.is_floating_point() ? outputs.reshape(-1).gt(0).to(ScalarType.Int64) : outputs.reshape(-1);
        return classes.eq(y.reshape(-1)).sum().item<long>() / (double)y.numel();
    }

    private static double RSquared(Tensor outputs, Tensor y) => Metrics.Metric.RSquared.Of(outputs, y);
}
