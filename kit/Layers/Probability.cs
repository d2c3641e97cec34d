namespace ResearchKit.Layers;

/// <summary>The one check that every dropout needs.</summary>
internal static class Probability
{
    public static double Checked(double probability, string name) => probability is >= 0 and < 1 ? probability
        : throw new ArgumentOutOfRangeException(name, probability, "A dropout probability is at least 0 and less than 1.");
}
