using System.Security.Cryptography;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Native;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Writes the executed notebook back to its source file (<c>--in-place</c>).</summary>
internal static class InPlace
{
    /// <summary>
    /// Replaces the notebook atomically by the executed one, unless it was edited while it ran or its run was not
    /// completed.
    /// </summary>
    /// <returns>Why the notebook was not replaced; null if it was.</returns>
    public static string? Write(string notebook, RunReport report, RunFolder folder)
    {
        if (report.Status is not (RunStatus.Succeeded or RunStatus.Failed or RunStatus.Crashed) || !File.Exists(folder.Record))
            return $"{report.Name} is left as it was, because its run did not complete; the outputs so far "
                + $"are in {folder.FullPath}.";
        var record = RunRecord.Read(folder.Record);
        var target = new FileInfo(notebook).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(notebook);
        if (Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(target))) != record.Sha256)
            return $"{report.Name} was changed while it ran and is left as it is; the executed notebook is {folder.Notebook}.";
        var mode = OperatingSystem.IsWindows() ? (UnixFileMode?)null : File.GetUnixFileMode(target);
        AtomicWrite.Text(target, NotebookDocument.Load(folder.Notebook).ToJson());
        if (mode is { } kept && !OperatingSystem.IsWindows()) File.SetUnixFileMode(target, kept);
        return null;
    }
}
