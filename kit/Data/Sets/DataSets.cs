using System.Text.Json;

namespace ResearchKit.Data;

/// <summary>
/// The catalogue of data sets: every folder with a <c>dataset.json</c> under the root folder.
/// </summary>
public static class DataSets
{
    /// <summary>Name of the environment variable with the root folder of the data sets.</summary>
    public const string RootVariable = "RESEARCHKIT_DATASETS";

    private const string PackageName = "ResearchKit.Datasets";

    private static readonly JsonSerializerOptions Json =
        new(JsonSerializerDefaults.Web) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <summary>
    /// Returns the root folder of the data sets: the one in the environment variable, else the nearest folder named
    /// <c>datasets</c> in or above the working directory or the program, else that of the package
    /// <c>ResearchKit.Datasets</c> beside the package of this assembly.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">No such folder was found.</exception>
    public static string Root() => Environment.GetEnvironmentVariable(RootVariable) is { Length: > 0 } named
        ? Directory.Exists(named) ? named : throw new DirectoryNotFoundException($"{RootVariable} is set to {named}, "
            + "which is not an existing folder.")
        : Above(Directory.GetCurrentDirectory()) ?? Above(AppContext.BaseDirectory)
            ?? InPackages(typeof(DataSets).Assembly.Location)
            ?? throw new DirectoryNotFoundException("There is no folder 'datasets' in or above "
                + $"{Directory.GetCurrentDirectory()}; reference the package {PackageName}, or set {RootVariable} to the folder "
                + "of the data sets.");

    /// <summary>
    /// Returns the folder of the newest package of data sets in the cache of packages that an assembly was loaded from; null if
    /// there is none.
    /// </summary>
    /// <param name="assembly">Path of the assembly: CACHE/researchkit/VERSION/lib/FRAMEWORK/ResearchKit.dll.</param>
    internal static string? InPackages(string assembly)
    {
        if (assembly.Length == 0) return null;
        var cache = new FileInfo(assembly).Directory?.Parent?.Parent?.Parent?.Parent;
        var package = Path.Combine(cache?.FullName ?? "", PackageName.ToLowerInvariant());
        return cache is null || !Directory.Exists(package) ? null
            : Directory.EnumerateDirectories(package).Select(version => Path.Combine(version, "datasets"))
                .Where(folder => Directory.Exists(folder) && Names(folder).Count > 0)
                .MaxBy(folder => Directory.GetCreationTimeUtc(folder));
    }

    /// <summary>Lists all data sets, by name.</summary>
    /// <exception cref="InvalidDataException">A <c>dataset.json</c> is malformed.</exception>
    public static IReadOnlyList<DataSet> List() =>
        [.. Names(Root()).Select(name => Read(Root(), name))];

    /// <summary>Opens a data set by name. Its files are verified when they are read.</summary>
    /// <exception cref="KeyNotFoundException">
    /// The data set does not exist; the message lists those that do.
    /// </exception>
    /// <exception cref="InvalidDataException">The <c>dataset.json</c> is malformed.</exception>
    public static DataSet Open(string name)
    {
        var root = Root();
        return Names(root).Contains(name) ? Read(root, name)
            : throw new KeyNotFoundException(
                $"There is no data set '{name}' in {root}; there are {string.Join(", ", Names(root))}.");
    }

    private static List<string> Names(string root) => [.. Directory.EnumerateDirectories(root)
        .Where(folder => File.Exists(Path.Combine(folder, "dataset.json"))).Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)];

    private static DataSet Read(string root, string name)
    {
        var folder = Path.Combine(root, name);
        var path = Path.Combine(folder, "dataset.json");
        try
        {
            var set = JsonSerializer.Deserialize<DataSet>(File.ReadAllText(path), Json)
                ?? throw new InvalidDataException($"{path} is empty.");
            if (set.Name != name)
                throw new InvalidDataException($"{path} describes '{set.Name}'; expected '{name}', the name of its folder.");
            foreach (var file in set.Files)
                if (file.Name != Path.GetFileName(file.Name) || file.Name is "" or "..")
                    throw new InvalidDataException($"{path} names the file '{file.Name}'; expected a name without a folder.");
            return set with { Folder = folder };
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(
                $"{path} does not describe a data set (line {error.LineNumber + 1}): {error.Message}", error);
        }
    }

    private static string? Above(string folder)
    {
        for (var place = new DirectoryInfo(folder); place is not null; place = place.Parent)
        {
            var candidate = Path.Combine(place.FullName, "datasets");
            if (Directory.Exists(candidate) && Names(candidate).Count > 0) return candidate;
        }
        return null;
    }
}
