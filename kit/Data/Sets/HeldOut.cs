namespace ResearchKit.Data;

/// <summary>
/// Splits a data set into training and test part by keys; the split depends only on the seed.
/// </summary>
internal static class HeldOut
{
    /// <summary>
    /// Returns the distinct keys of a part; <paramref name="share"/> is the fraction of keys in the test part.
    /// </summary>
    public static HashSet<string> Split(IEnumerable<string> keys, DataPart part, int seed, double share = 0.1)
    {
        var all = keys.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var order = new long[all.Length];
        for (var at = 0; at < order.Length; at++) order[at] = at;
        Shuffle.InPlace(order, seed, 0);
        var tests = (int)Math.Round(all.Length * share);
        var chosen = part switch { DataPart.Train => order[tests..], DataPart.Test => order[..tests], _ => order };
        return chosen.Select(at => all[at]).ToHashSet(StringComparer.Ordinal);
    }
}
