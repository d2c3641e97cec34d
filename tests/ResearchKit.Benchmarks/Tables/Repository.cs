using System.Diagnostics;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>The working copy that the benchmarks were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    /// <summary>Where the results of each class of processors are.</summary>
    public static string BenchmarksFolder => Path.Combine(Root, "docs", "benchmarks");

    /// <summary>The page that is made of them.</summary>
    public static string Page => Path.Combine(Root, "docs", "benchmarks.md");

    /// <summary>What was found out about targets that are missed; ends the page.</summary>
    public static string Limits => Path.Combine(BenchmarksFolder, "limits.md");

    /// <summary>A script that stands beside the benchmarks.</summary>
    public static string Script(string name) => Path.Combine(Root, "tests", "ResearchKit.Benchmarks", "Tables", name);

    /// <summary>The commit that is checked out, short; with <c>+</c> where files differ from it.</summary>
    public static string Commit()
    {
        try
        {
            return Git("rev-parse --short HEAD")
                + (Git("status --porcelain --untracked-files=no -- kit kernel tests").Length > 0 ? "+" : "");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "unknown";   // no git here
        }
    }

    private static string Git(string arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true
        })!;
        return git.StandardOutput.ReadToEnd().Trim();
    }

    private static string Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "ResearchKit.sln"))) return at.FullName;
        throw new DirectoryNotFoundException($"No folder above {folder} holds ResearchKit.sln.");
    }
}
