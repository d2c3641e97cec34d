namespace ResearchKit.Distributed;

/// <summary>Distributes items over processes so that each gets about the same number of bytes.</summary>
internal static class Shards
{
    /// <summary>
    /// Assigns items in order of falling size, each to the process with the fewest bytes so far. The result is the
    /// same in all processes.
    /// </summary>
    /// <returns>The items of each process, in the order of <paramref name="all"/>.</returns>
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
