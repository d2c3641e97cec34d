using ResearchKit.Data;

namespace ResearchKit.Kernel.Kit;

/// <summary>A data set of the kit.</summary>
/// <param name="Heading">Name, title, size and licence in one line.</param>
/// <param name="Description">What it holds.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Verify">
/// Checks size and SHA-256 of every file. Throws <see cref="InvalidDataException"/> or <see cref="FileNotFoundException"/>.
/// </param>
internal sealed record KitDataSet(string Heading, string Description, string Source, Action Verify);

/// <summary>The data sets of the kit.</summary>
internal static class KitDataSets
{
    /// <summary>The environment variable that names their folder.</summary>
    public const string RootVariable = DataSets.RootVariable;

    /// <summary>The folder that they are in.</summary>
    public static string Root() => DataSets.Root();

    /// <summary>All data sets of the folder.</summary>
    public static IEnumerable<KitDataSet> List() =>
        DataSets.List().Select(set => new KitDataSet($"{set}", set.Description, set.Source, set.Verify));
}
