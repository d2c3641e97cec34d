namespace ResearchKit.Surrogates;

/// <summary>
/// A leaf as a game: its value counts if every condition on its path holds. A feature that is known multiplies it by 1 or 0, a
/// feature that is unknown by a share; the Shapley values of such a product have a closed form.
/// </summary>
/// <param name="Value">Output of the leaf.</param>
/// <param name="Conditions">Conditions on the path, one for each feature.</param>
/// <param name="Shares">For each condition the share of the training rows that follow it at its splits.</param>
internal sealed record LeafGame(double Value, IReadOnlyList<Condition> Conditions, IReadOnlyList<double> Shares)
{
    /// <summary>Share of the training rows that reach the leaf.</summary>
    public double Cover => Shares.Aggregate(1.0, (product, share) => product * share);

    public static List<LeafGame> Of(DecisionTree tree, int output, double weight)
    {
        var games = new List<LeafGame>();
        Walk(tree.Nodes[0], [], []);
        return games;

        void Walk(TreeNode node, List<Condition> conditions, List<double> shares)
        {
            if (node.IsLeaf)
            {
                games.Add(new LeafGame(weight * tree.Output(node)[output], conditions, shares));
                return;
            }
            foreach (var child in new[] { tree.Nodes[node.Left], tree.Nodes[node.Right] })
            {
                var narrowed = TreeRules.Narrowed(conditions, node, "", child.Id == node.Left);
                var at = narrowed.FindIndex(condition => condition.Feature == node.Feature);
                var share = child.WeightedSamples / node.WeightedSamples;
                var next = new List<double>(shares);
                if (at < next.Count) next[at] *= share;
                else next.Add(share);
                Walk(child, narrowed, next);
            }
        }
    }

    /// <summary>What the trees say of a row.</summary>
    public static double Output(List<LeafGame> leaves, double[] row) =>
        leaves.Where(leaf => leaf.Conditions.All(condition => Holds(condition, row))).Sum(leaf => leaf.Value);

    public static double[] PathDependent(List<LeafGame> leaves, double[] row)
    {
        var values = new double[row.Length];
        foreach (var leaf in leaves)
        {
            var known = leaf.Conditions.Select(condition => Holds(condition, row) ? 1.0 : 0.0).ToArray();
            for (var at = 0; at < known.Length; at++)
                values[leaf.Conditions[at].Feature] += leaf.Value * (known[at] - leaf.Shares[at]) * Others(known, leaf.Shares,
                    at);
        }
        return values;
    }

    public static double[] Interventional(List<LeafGame> leaves, double[] row, double[][] background)
    {
        var values = new double[row.Length];
        foreach (var leaf in leaves)
        {
            var own = leaf.Conditions.Select(condition => Holds(condition, row)).ToArray();
            foreach (var other in background) leaf.Add(values, own, other, leaf.Value / background.Length);
        }
        return values;
    }

    /// <summary>Adds the values of one background row: only features that one of the two rows fulfils alone matter.</summary>
    private void Add(double[] values, bool[] own, double[] other, double value)
    {
        var (mine, theirs) = (0, 0);
        var holds = new bool[own.Length];
        for (var at = 0; at < own.Length; at++)
        {
            holds[at] = Holds(Conditions[at], other);
            if (!own[at] && !holds[at]) return;     // no set of known features reaches the leaf
            if (own[at] && !holds[at]) mine++;
            if (!own[at] && holds[at]) theirs++;
        }
        for (var at = 0; at < own.Length; at++)
            if (own[at] && !holds[at]) values[Conditions[at].Feature] += value * Weight(mine - 1, theirs);
            else if (!own[at] && holds[at]) values[Conditions[at].Feature] -= value * Weight(mine, theirs - 1);
    }

    /// <summary>
    /// Sum over the sets of the other features of the product of their factors, with the weight of Shapley for the size.
    /// </summary>
    private static double Others(double[] known, IReadOnlyList<double> shares, int skipped)
    {
        // coefficients of the product of (share + known · t): the power of t counts the known features
        var bySize = new double[known.Length];
        bySize[0] = 1;
        var size = 0;
        for (var at = 0; at < known.Length; at++)
        {
            if (at == skipped) continue;
            for (var power = size + 1; power > 0; power--)
                bySize[power] = (bySize[power] * shares[at]) + (bySize[power - 1] * known[at]);
            bySize[0] *= shares[at];
            size++;
        }
        var sum = 0.0;
        for (var power = 0; power <= size; power++) sum += bySize[power] * Weight(power, size - power);
        return sum;
    }

    /// <summary>a! b! / (a + b + 1)!</summary>
    private static double Weight(int a, int b)
    {
        var weight = 1.0 / (a + b + 1);
        for (var factor = 1; factor <= Math.Min(a, b); factor++) weight *= factor / (double)(a + b + 1 - factor);
        return weight;
    }

    private static bool Holds(Condition condition, double[] row) => condition.Holds((float)row[condition.Feature]);
}
