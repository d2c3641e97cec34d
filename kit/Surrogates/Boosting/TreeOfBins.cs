namespace ResearchKit.Surrogates;

/// <summary>A small regression tree over the bins of one feature, grown by the best split first.</summary>
internal static class TreeOfBins
{
    /// <summary>Returns the Newton step of each bin; null if no split is possible.</summary>
    public static double[]? Steps(double[] gradient, double[] curvature, double[] count, int leaves, int leastRows, double ridge)
    {
        var (g, h, n) = (Cumulative(gradient), Cumulative(curvature), Cumulative(count));
        var parts = new List<(int Low, int High, int Cut, double Gain)> { Best(0, gradient.Length) };
        while (parts.Count < leaves)
        {
            var at = 0;
            for (var part = 1; part < parts.Count; part++)
                if (parts[part].Gain > parts[at].Gain) at = part;
            if (!(parts[at].Gain > 0)) break;
            var (low, high, cut, _) = parts[at];
            parts[at] = Best(low, cut);
            parts.Add(Best(cut, high));
        }
        if (parts.Count == 1) return null;
        var steps = new double[gradient.Length];
        foreach (var (low, high, _, _) in parts)
            Array.Fill(steps, (g[high] - g[low]) / (h[high] - h[low] + ridge), low, high - low);
        return steps;

        (int, int, int, double) Best(int low, int high)
        {
            var (cut, gain) = (-1, 0.0);
            var whole = Score(low, high);
            for (var at = low + 1; at < high; at++)
            {
                if (n[at] - n[low] < leastRows || n[high] - n[at] < leastRows) continue;
                if (Score(low, at) + Score(at, high) - whole is var own && own > gain) (cut, gain) = (at, own);
            }
            return (low, high, cut, gain);
        }

        double Score(int low, int high) => (g[high] - g[low]) * (g[high] - g[low]) / (h[high] - h[low] + ridge);
    }

    private static double[] Cumulative(double[] values)
    {
        var sums = new double[values.Length + 1];
        for (var at = 0; at < values.Length; at++) sums[at + 1] = sums[at] + values[at];
        return sums;
    }
}
