namespace ResearchKit.Tests;

/// <summary>Finds the repository's files from wherever the tests were built.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "ResearchKit.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"No ResearchKit.sln above {AppContext.BaseDirectory}.");
    }
}
