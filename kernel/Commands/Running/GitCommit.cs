using System.ComponentModel;
using System.Diagnostics;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>The commit that a folder is at.</summary>
internal static class GitCommit
{
    /// <summary>The full hash; null outside a repository, or without git.</summary>
    public static string? Of(string folder)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", ["-C", folder, "rev-parse", "HEAD"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var answer = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 && answer.Length > 0 ? answer : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
