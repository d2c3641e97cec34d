namespace ResearchKit.Attribution;

/// <summary>Owen values of the balanced binary tree over the players in their order.</summary>
internal static class OwenValues
{
    /// <summary>
    /// Each player's value is the mean, over all choices of which neighbouring branches are present, of what it adds.
    /// </summary>
    /// <returns>[example][player].</returns>
    public static double[][] Of(Coalitions coalitions)
    {
        var players = coalitions.Players;
        var branches = Enumerable.Range(0, players).Select(player => Beside(player, 0, players).ToArray()).ToArray();
        Coalitions.Limit(branches.Sum(beside => Math.Pow(2, beside.Length + 1)), $"The partition of {players} features");
        var (index, present) = (new Dictionary<string, int>(), new List<bool[]>());
        int Of(bool[] coalition)
        {
            var key = string.Create(players, coalition, (span, from) =>
            {
                for (var at = 0; at < from.Length; at++) span[at] = from[at] ? '1' : '0';
            });
            if (index.TryGetValue(key, out var at)) return at;
            present.Add(coalition);
            return index[key] = present.Count - 1;
        }
        var pairs = branches.Select((beside, player) => Contexts(players, beside).Select(context =>
        {
            var with = (bool[])context.Clone();
            with[player] = true;
            return (Without: Of(context), With: Of(with));
        }).ToArray()).ToArray();
        var values = coalitions.Values(present);
        return [.. Enumerable.Range(0, coalitions.Examples).Select(example =>
            pairs.Select(all => all.Average(pair => values[pair.With][example] - values[pair.Without][example])).ToArray())];
    }

    /// <summary>The branches that a player's path through the tree passes by.</summary>
    private static IEnumerable<(int From, int To)> Beside(int player, int from, int to)
    {
        while (to - from > 1)
        {
            var middle = (from + to) / 2;
            yield return player < middle ? (middle, to) : (from, middle);
            (from, to) = player < middle ? (from, middle) : (middle, to);
        }
    }

    private static IEnumerable<bool[]> Contexts(int players, (int From, int To)[] beside)
    {
        for (var number = 0; number < 1 << beside.Length; number++)
        {
            var context = new bool[players];
            for (var branch = 0; branch < beside.Length; branch++)
                if (((number >> branch) & 1) == 1)
                    Array.Fill(context, true, beside[branch].From, beside[branch].To - beside[branch].From);
            yield return context;
        }
    }
}
