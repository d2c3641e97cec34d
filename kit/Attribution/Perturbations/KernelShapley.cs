namespace ResearchKit.Attribution;

/// <summary>Shapley values as a weighted regression on coalitions.</summary>
internal static class KernelShapley
{
    /// <returns>[example][player].</returns>
    public static double[][] Of(Coalitions coalitions, int samples, int seed)
    {
        var players = coalitions.Players;
        var ends = coalitions.Values([new bool[players], [.. Enumerable.Repeat(true, players)]]);
        if (players == 1) return [.. ends[1].Zip(ends[0], (full, none) => new[] { full - none })];
        Coalitions.Limit(samples, "Kernel SHAP");
        var (present, weights) = Chosen(players, samples, seed);
        return CoalitionRegression.WithFixedSum(present, weights, coalitions.Values(present), ends[0], ends[1]);
    }

    /// <summary>
    /// Takes all coalitions of the sizes that weigh most, smallest and largest first, as far as the samples allow, and draws the
    /// rest, each with its complement.
    /// </summary>
    private static (List<bool[]> Present, List<double> Weights) Chosen(int players, int samples, int seed)
    {
        var (present, weights) = (new List<bool[]>(), new List<double>());
        var size = 1;
        for (; size <= players / 2; size++)
        {
            var pair = size == players - size ? 1 : 2;
            if (present.Count + (pair * Choose(players, size)) > samples) break;
            foreach (var coalition in OfSize(players, size))
            {
                Take(coalition, Weight(players, size));
                if (pair == 2) Take([.. coalition.Select(member => !member)], Weight(players, size));
            }
        }
        if (size > players / 2 || present.Count + 2 > samples) return (present, weights);
        var sizes = Enumerable.Range(size, (players / 2) - size + 1).ToArray();
        double OfSizes(int each) => (2 * each == players ? 1 : 2) * Choose(players, each) * Weight(players, each);
        var (total, random, pairs) = (sizes.Sum(OfSizes), new Random(seed), (samples - present.Count) / 2);
        for (var pair = 0; pair < pairs; pair++)
        {
            var drawn = random.NextDouble() * total;
            var chosen = sizes.First(each => (drawn -= OfSizes(each)) <= 0 || each == sizes[^1]);
            var order = Enumerable.Range(0, players).ToArray();
            random.Shuffle(order);
            var coalition = new bool[players];
            foreach (var player in order.Take(chosen)) coalition[player] = true;
            Take(coalition, total / (2 * pairs));
            Take([.. coalition.Select(member => !member)], total / (2 * pairs));
        }
        return (present, weights);

        void Take(bool[] coalition, double weight)
        {
            present.Add(coalition);
            weights.Add(weight);
        }
    }

    /// <summary>The Shapley kernel (n - 1) / (C(n, s) s (n - s)).</summary>
    private static double Weight(int players, int size) => (players - 1) / (Choose(players, size) * size * (players - size));

    private static double Choose(int of, int some) =>
        Enumerable.Range(0, some).Aggregate(1.0, (product, i) => product * (of - i) / (i + 1));

    private static IEnumerable<bool[]> OfSize(int players, int size)
    {
        var members = Enumerable.Range(0, size).ToArray();
        while (true)
        {
            var coalition = new bool[players];
            foreach (var member in members) coalition[member] = true;
            yield return coalition;
            var last = size - 1;
            while (last >= 0 && members[last] == players - size + last) last--;
            if (last < 0) yield break;
            members[last]++;
            for (var at = last + 1; at < size; at++) members[at] = members[at - 1] + 1;
        }
    }
}
