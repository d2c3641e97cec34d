namespace ResearchKit.Tests.Arrows;

/// <summary>The C# files of a part of the repository.</summary>
internal static class SourceFiles
{
    private static readonly string[] Built = ["bin", "obj"];

    /// <summary>All files below a folder but those that a build made and those of a project further down.</summary>
    /// <param name="part">The folder, from the repository's root.</param>
    public static IEnumerable<string> Of(string part) => Below(Repository.PathTo(part));

    private static IEnumerable<string> Below(string folder) => Directory.EnumerateFiles(folder, "*.cs").Concat(
        Directory.EnumerateDirectories(folder)
            .Where(inner => !Built.Contains(Path.GetFileName(inner)) && !Directory.EnumerateFiles(inner, "*.csproj").Any())
            .SelectMany(Below));
}
