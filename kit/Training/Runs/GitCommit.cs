using System.ComponentModel;
using System.Diagnostics;

namespace ResearchKit.Training;

/// <summary>The commit of a repository.</summary>
internal static class GitCommit
{
    /// <summary>
    /// The commit of the repository around a folder, with "+changes" if files differ from it. Null outside a repository, or if
    /// git is not installed.
    /// </summary>
    public static string? Of(string folder)
    {
        var head = Git(folder, "rev-parse", "HEAD");
        if (string.IsNullOrEmpty(head)) return null;
        return string.IsNullOrEmpty(Git(folder, "status", "--porcelain")) ? head : $"{head}+changes";
    }

    private static string? Git(string folder, params IEnumerable<string> arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", folder, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            git.ErrorDataReceived += (_, _) => { };
            git.BeginErrorReadLine();
            var output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;   // git is not installed
        }
    }
}
