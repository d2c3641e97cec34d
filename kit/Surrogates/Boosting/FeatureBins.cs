namespace ResearchKit.Surrogates;

/// <summary>Bins of one feature: fine ones for its own term, and groups of them for its pairs.</summary>
internal sealed class FeatureBins
{
    private readonly int[] groupOf;

    /// <param name="values">Values of the training rows.</param>
    /// <param name="most">Largest number of bins.</param>
    /// <param name="mostGroups">Largest number of groups.</param>
    public FeatureBins(double[] values, int most, int mostGroups)
    {
        Cuts = CutsOf(values, most);
        Rows = Array.ConvertAll(values, Index);
        Counts = new double[Cuts.Length + 1];
        foreach (var bin in Rows) Counts[bin]++;
        groupOf = new int[Counts.Length];
        var (seen, group) = (0.0, 0);
        for (var bin = 0; bin < Counts.Length; bin++)
        {
            // a new group where the bins before it hold their share of the rows
            if (bin > 0 && group < mostGroups - 1 && seen >= values.Length * (group + 1.0) / mostGroups) group++;
            groupOf[bin] = group;
            seen += Counts[bin];
        }
        Groups = group + 1;
        GroupRows = Array.ConvertAll(Rows, bin => groupOf[bin]);
        GroupCuts = [.. Enumerable.Range(0, Cuts.Length).Where(cut => groupOf[cut] != groupOf[cut + 1]).Select(cut => Cuts[cut])];
    }

    /// <summary>Bounds between the bins; a value on a bound belongs below it.</summary>
    public double[] Cuts { get; }

    public int Bins => Counts.Length;

    public int Groups { get; }

    public double[] GroupCuts { get; }

    /// <summary>Training rows of each bin.</summary>
    public double[] Counts { get; }

    /// <summary>Bin of each training row.</summary>
    public int[] Rows { get; }

    /// <summary>Group of each training row.</summary>
    public int[] GroupRows { get; }

    public int Index(double value)
    {
        var at = Array.BinarySearch(Cuts, value);
        return at < 0 ? ~at : at;
    }

    public int GroupOfBin(int bin) => groupOf[bin];

    private static double[] CutsOf(double[] values, int most)
    {
        var sorted = values.Order().ToArray();
        var cuts = new SortedSet<double>();
        var distinct = sorted.Distinct().ToArray();
        if (distinct.Length <= most)
            for (var at = 1; at < distinct.Length; at++) cuts.Add(Between(distinct[at - 1], distinct[at]));
        else
            for (var cut = 1; cut < most; cut++)
            {
                var at = (int)((long)cut * sorted.Length / most);
                if (sorted[at - 1] < sorted[at]) cuts.Add(Between(sorted[at - 1], sorted[at]));
                else if (Array.Find(sorted, value => value > sorted[at]) is var next && next > sorted[at])
                    cuts.Add(Between(sorted[at], next));
            }
        return [.. cuts];
    }

    private static double Between(double low, double high) =>
        low + ((high - low) / 2) is var middle && middle < high ? middle : low;
}
