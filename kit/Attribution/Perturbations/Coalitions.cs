using static TorchSharp.torch;

namespace ResearchKit.Attribution;

/// <summary>
/// The value of coalitions of players, in float64: the score where the players of the coalition are present and the others are
/// replaced by the baseline.
/// </summary>
internal sealed class Coalitions(Explained explained, FeatureGroups groups, Tensor input, Tensor baseline)
{
    /// <summary>The most coalitions that a method may ask for.</summary>
    public const int Most = 1 << 20;

    public int Players => groups.Count;

    public int Examples => explained.Examples;

    /// <summary>How many coalitions were valued.</summary>
    public int Asked { get; private set; }

    /// <summary>Refuses a number of coalitions that would not end.</summary>
    public static void Limit(double coalitions, string what)
    {
        if (!(coalitions <= Most))
            throw new ArgumentException(FormattableString.Invariant(
                $"{what} needs {coalitions:g4} coalitions; at most {Most:#,0} are computed. Group the features, or sample."));
    }

    /// <summary>Values coalitions.</summary>
    /// <param name="present">[coalitions][players].</param>
    /// <returns>[coalitions][example].</returns>
    public double[][] Values(IReadOnlyList<bool[]> present)
    {
        using var scope = NewDisposeScope();
        Asked += present.Count;
        var scores = explained.ScoresOf(present.Count, (from, to) =>
        {
            var masks = new bool[(to - from) * Players];
            for (var at = from; at < to; at++) present[at].CopyTo(masks, (at - from) * Players);
            return groups.Apply(tensor(masks, @bool, input.device).view(to - from, Players), input, baseline);
        });
        var flat = scores.to(float64).cpu().data<double>().ToArray();
        return [.. Enumerable.Range(0, present.Count).Select(at => flat[(at * Examples)..((at + 1) * Examples)])];
    }

    /// <summary>All coalitions in the order of their numbers: bit p says whether player p is present.</summary>
    public IReadOnlyList<bool[]> All()
    {
        Limit(Math.Pow(2, Players), $"The exact value of {Players} features");
        return [.. Enumerable.Range(0, 1 << Players).Select(number =>
            Enumerable.Range(0, Players).Select(player => ((number >> player) & 1) == 1).ToArray())];
    }

    /// <summary>Spreads values of players over the input.</summary>
    /// <param name="values">[example][player].</param>
    public Tensor Spread(double[][] values)
    {
        using var scope = NewDisposeScope();
        var dtype = input.is_floating_point() ? input.dtype : float32;
        var flat = tensor(values.SelectMany(row => row).ToArray(), dtype, input.device).view(values.Length, Players);
        return groups.Spread(flat).MoveToOuterDisposeScope();
    }
}
