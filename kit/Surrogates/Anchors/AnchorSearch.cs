namespace ResearchKit.Surrogates;

/// <summary>
/// Searches rules from one condition to many: for each number it finds the most precise ones with few rows, by the confidence
/// bounds of KL-LUCB.
/// </summary>
/// <remarks>Kaufmann and Kalyanakrishnan, 2013.</remarks>
internal sealed class AnchorSearch(BatchedModel model, AnchorSampler sampler, AnchorOptions options, int wanted)
{
    private const double Delta = 0.05, Tolerance = 0.1;

    /// <summary>A rule and how often it was right so far.</summary>
    private sealed record Candidate(IReadOnlyList<Condition> Conditions)
    {
        public int Rows { get; set; }

        public int Hits { get; set; }

        public double Mean => Rows == 0 ? 0 : Hits / (double)Rows;
    }

    /// <summary>Returns the conditions of the best rule.</summary>
    public IReadOnlyList<Condition> Best(IReadOnlyList<Condition> all)
    {
        var none = new Candidate([]);
        Draw(none);
        if (IsPrecise(none)) return [];
        var (beam, best) = (new List<Candidate> { none }, none);
        for (var size = 1; size <= Math.Min(options.MaxConditions, all.Count); size++)
        {
            var candidates = Extended(beam, all);
            if (candidates.Count == 0) break;
            beam = MostPrecise(candidates);
            var precise = beam.Where(IsPrecise).ToList();
            if (precise.Count > 0) return precise.MaxBy(one => sampler.Coverage(one.Conditions))!.Conditions;
            best = beam.Append(best).MaxBy(one => Bound(one, Math.Log(1 / Delta), upper: false))!;
            if (!CanDraw(options.BatchSize)) break;
        }
        return best.Conditions;
    }

    private static List<Candidate> Extended(List<Candidate> beam, IReadOnlyList<Condition> all)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        return [.. from one in beam
            from condition in all
            let extended = With(one.Conditions, condition)
            where !extended.SequenceEqual(one.Conditions) && seen.Add(string.Join(';', extended))
            select new Candidate(extended)];
    }

    /// <summary>Adds a condition; two on the same feature become one.</summary>
    private static List<Condition> With(IReadOnlyList<Condition> conditions, Condition added)
    {
        var own = conditions.FirstOrDefault(each => each.Feature == added.Feature);
        var merged = own is null ? added : own with
        {
            Above = Math.Max(own.Above, added.Above),
            UpTo = Math.Min(own.UpTo, added.UpTo),
        };
        return [.. conditions.Where(each => each != own).Append(merged).OrderBy(each => each.Feature)];
    }

    /// <summary>Draws until the best candidates are known apart from the others, or the rows are used up.</summary>
    private List<Candidate> MostPrecise(List<Candidate> candidates)
    {
        foreach (var one in candidates) Draw(one, Math.Max(1, options.BatchSize / 5));
        var most = model.RowsSeen + ((options.MaxRows - model.RowsSeen) / 3);       // leaves rows for longer rules
        for (var round = 1; model.RowsSeen + (2 * options.BatchSize) <= most; round++)
        {
            var level = Math.Log(405.5 * candidates.Count * Math.Pow(round, 1.1) / Delta);
            var ranked = candidates.OrderByDescending(one => one.Mean).ToList();
            var (top, rest) = (ranked.Take(options.BeamWidth).ToList(), ranked.Skip(options.BeamWidth).ToList());
            if (rest.Count == 0) break;
            var weakest = top.MinBy(one => Bound(one, level, upper: false))!;
            var strongest = rest.MaxBy(one => Bound(one, level, upper: true))!;
            if (Bound(strongest, level, upper: true) - Bound(weakest, level, upper: false) < Tolerance) break;
            Draw(weakest);
            Draw(strongest);
        }
        return [.. candidates.OrderByDescending(one => one.Mean).Take(options.BeamWidth)];
    }

    /// <summary>Draws until the precision is known to be above or below the one that was asked.</summary>
    private bool IsPrecise(Candidate one)
    {
        var level = Math.Log(1 / Delta);
        while (true)
        {
            if (Bound(one, level, upper: false) >= options.Precision) return true;
            if (Bound(one, level, upper: true) < options.Precision || !CanDraw(options.BatchSize)) return false;
            if (one.Rows >= 40 * options.BatchSize) return one.Mean >= options.Precision && one.Hits == one.Rows;
            Draw(one);
        }
    }

    private void Draw(Candidate one) => Draw(one, options.BatchSize);

    private bool CanDraw(int rows) => model.RowsSeen + rows <= options.MaxRows;

    private void Draw(Candidate one, int rows)
    {
        if (!CanDraw(rows)) return;
        var classes = model.Classes(sampler.Draw(one.Conditions, rows), options.Cancellation);
        one.Rows += classes.Length;
        one.Hits += classes.Count(label => label == wanted);
    }

    /// <summary>The share whose divergence from the mean, times the rows, is the level.</summary>
    private static double Bound(Candidate one, double level, bool upper)
    {
        var (near, far) = (one.Mean, upper ? 1.0 : 0.0);
        for (var step = 0; step < 40; step++)
        {
            var middle = (near + far) / 2;
            if (one.Rows * Divergence(one.Mean, middle) < level) near = middle;
            else far = middle;
        }
        return (near + far) / 2;
    }

    private static double Divergence(double p, double q)
    {
        q = Math.Clamp(q, 1e-12, 1 - 1e-12);
        return (p > 0 ? p * Math.Log(p / q) : 0) + (p < 1 ? (1 - p) * Math.Log((1 - p) / (1 - q)) : 0);
    }
}
