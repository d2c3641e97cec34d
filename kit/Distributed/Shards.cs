namespace ResearchKit.Distributed;

/// <summary>Deals things out to processes so that each has about as many bytes.</summary>
internal static class Shards
{
    /// <summary>The largest first, each to the process that has least; the same in all processes.</summary>
    /// <returns>For each process what it has, in the order of <paramref name="all"/>.</returns>
    public static List<List<T>> Of<T>(IReadOnlyList<T> all, Func<T, long> bytes, int processes)
    {
        var owners = new int[all.Count];
        var loads = new long[processes];
        foreach (var (size, place) in all.Select((one, place) => (bytes(one), place)).OrderByDescending(one => one.Item1)
            .ThenBy(one => one.place))
        {
            var least = Array.IndexOf(loads, loads.Min());
            owners[place] = least;
            loads[least] += size;
        }
        return [.. Enumerable.Range(0, processes).Select(process => all.Where((_, place) => owners[place] == process).ToList())];
    }
}
