namespace ResearchKit.Attribution;

/// <summary>Shapley values from random orders, each forwards and backwards.</summary>
internal static class PermutationShapley
{
    /// <returns>[example][player].</returns>
    public static double[][] Of(Coalitions coalitions, int orders, int seed)
    {
        var players = coalitions.Players;
        Coalitions.Limit(2.0 * orders * (players + 1), $"{orders} orders of {players} features");
        var random = new Random(seed);
        var sums = Enumerable.Range(0, coalitions.Examples).Select(_ => new double[players]).ToArray();
        for (var at = 0; at < orders; at++)
        {
            var order = Enumerable.Range(0, players).ToArray();
            random.Shuffle(order);
            foreach (var way in new[] { order, [.. order.Reverse()] }) Add(coalitions, way, sums);
        }
        foreach (var row in sums)
            for (var player = 0; player < players; player++) row[player] /= 2.0 * orders;
        return sums;
    }

    private static void Add(Coalitions coalitions, int[] order, double[][] sums)
    {
        var present = new bool[order.Length + 1][];
        present[0] = new bool[order.Length];
        for (var joined = 0; joined < order.Length; joined++)
        {
            present[joined + 1] = [.. present[joined]];
            present[joined + 1][order[joined]] = true;
        }
        var values = coalitions.Values(present);
        for (var joined = 0; joined < order.Length; joined++)
            for (var example = 0; example < sums.Length; example++)
                sums[example][order[joined]] += values[joined + 1][example] - values[joined][example];
    }
}
