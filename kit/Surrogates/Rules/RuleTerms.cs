namespace ResearchKit.Surrogates;

/// <summary>Makes the candidate terms of a rule fit, and chooses among them.</summary>
internal static class RuleTerms
{
    public static List<RuleTerm> Make(double[][] rows, double[] targets, RuleFitOptions options, IReadOnlyList<string> names,
        CancellationToken cancellation)
    {
        var rules = new Dictionary<string, RuleTerm>(StringComparer.Ordinal);
        var random = new Random(options.Seed);
        var residuals = (double[])targets.Clone();
        var grow = new DecisionTreeOptions { MaxDepth = options.MaxConditions, MinSamplesLeaf = 5, FeatureNames = names };
        for (var round = 0; round < options.Trees; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var sample = Enumerable.Range(0, rows.Length).ToArray();
            random.Shuffle(sample);
            sample = sample[..Math.Max(1, (int)(options.Subsample * rows.Length))];
            var tree = DecisionTree.Fit(Array.ConvertAll(sample, row => rows[row]),
                Array.ConvertAll(sample, row => residuals[row]),
                grow, [.. Enumerable.Repeat(1.0, sample.Length)]);
            foreach (var term in OfNodes(tree)) rules.TryAdd(term.Name, term);
            for (var row = 0; row < rows.Length; row++)
                residuals[row] -= options.LearningRate * tree.Nodes[tree.LeafOf(rows[row])].Value[0];
        }
        return [.. rules.Values, .. options.Linear ? names.Select((name, feature) => Linear(rows, feature, name, options)) : []];
    }

    /// <summary>Lowers the penalty until no further term may enter, and returns the terms before that.</summary>
    public static (IReadOnlyList<RuleTerm> Terms, double Intercept) Choose(List<RuleTerm> terms, double[][] columns, Lasso lasso,
        int most, CancellationToken cancellation)
    {
        var start = new double[terms.Count];
        var penalty = lasso.LargestPenalty();
        var best = lasso.Solve(penalty, start, cancellation);
        for (var step = 0; step < 60 && penalty > 0; step++)
        {
            penalty *= 0.88;
            var next = lasso.Solve(penalty, start, cancellation);
            if (next.Coefficients.Count(weight => weight != 0) > most) break;
            best = next;
        }
        var chosen = Enumerable.Range(0, terms.Count).Where(at => best.Coefficients[at] != 0).ToArray();
        if (chosen.Length == 0) return ([], best.Intercept);
        // the penalty that chose the terms also shrank them: fit them once more with almost none (the relaxed lasso)
        var kept = Array.ConvertAll(chosen, at => columns[at]);
        var again = lasso.Of(kept);
        best = again.Solve(0.01 * again.LargestPenalty(), new double[chosen.Length], cancellation);
        return ([.. chosen.Select((term, at) => terms[term] with
        {
            Coefficient = best.Coefficients[at],
            Importance = Math.Abs(best.Coefficients[at]) * Deviation(kept[at]),
        }).Where(term => term.Coefficient != 0).OrderByDescending(term => term.Importance)], best.Intercept);
    }

    /// <summary>A term for each node below the root; of two siblings, which say the same, the left one.</summary>
    private static IEnumerable<RuleTerm> OfNodes(DecisionTree tree)
    {
        var open = new Stack<(TreeNode Node, List<Condition> Conditions, bool IsNew)>();
        open.Push((tree.Nodes[0], [], false));
        while (open.TryPop(out var next))
        {
            if (next.IsNew)
            {
                var rule = new Rule(next.Conditions, [1], "1", next.Node.Samples);
                yield return new RuleTerm(rule.Premise, rule, -1, 0, 0, 0, 0);
            }
            if (next.Node.IsLeaf) continue;
            var name = tree.FeatureNames[next.Node.Feature];
            var isRoot = next.Node.Id == 0;
            open.Push((tree.Nodes[next.Node.Left], TreeRules.Narrowed(next.Conditions, next.Node, name, true), true));
            open.Push((tree.Nodes[next.Node.Right], TreeRules.Narrowed(next.Conditions, next.Node, name, false), !isRoot));
        }
    }

    private static RuleTerm Linear(double[][] rows, int feature, string name, RuleFitOptions options)
    {
        var sorted = rows.Select(row => row[feature]).Order().ToArray();
        var skipped = (int)(options.Winsorize * sorted.Length);
        return new RuleTerm(name, null, feature, sorted[skipped], sorted[^(1 + skipped)], 0, 0);
    }

    private static double Deviation(double[] column)
    {
        var mean = column.Average();
        return Math.Sqrt(column.Average(value => (value - mean) * (value - mean)));
    }
}
