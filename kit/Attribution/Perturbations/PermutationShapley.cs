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
        var ways = Enumerable.Range(0, orders).SelectMany(_ =>
        {
            var order = Enumerable.Range(0, players).ToArray();
            random.Shuffle(order);
            return new[] { order, [.. order.Reverse()] };
        }).ToList();
        var values = coalitions.Values([.. ways.SelectMany(Joining)]);
        var sums = Enumerable.Range(0, coalitions.Examples).Select(_ => new double[players]).ToArray();
        for (var way = 0; way < ways.Count; way++)
            for (var joined = 0; joined < players; joined++)
                for (var example = 0; example < sums.Length; example++)
                {
                    var at = (way * (players + 1)) + joined;
                    sums[example][ways[way][joined]] += (values[at + 1][example] - values[at][example]) / ways.Count;
                }
        return sums;
    }

    /// <summary>The coalitions that form when players join in an order, from the empty to the full one.</summary>
    private static IEnumerable<bool[]> Joining(int[] order)
    {
        var present = new bool[order.Length];
        yield return [.. present];
        foreach (var player in order)
        {
            present[player] = true;
            yield return [.. present];
        }
    }
}
