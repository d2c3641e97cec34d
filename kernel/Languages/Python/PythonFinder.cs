using System.Diagnostics;
using ResearchKit.Kernel.Cells;

namespace ResearchKit.Kernel.Languages.Python;

/// <summary>Finds a Python interpreter that has ipykernel.</summary>
internal static class PythonFinder
{
    /// <summary>
    /// Environment variable with the path of the Python interpreter; if it is set, no other is tried.
    /// </summary>
    public const string Variable = "RESEARCHKIT_PYTHON";

    private const string Question =
        "import importlib.util as u, sys; print('%d.%d' % sys.version_info[:2], 'yes' if u.find_spec('ipykernel') else 'no')";

    /// <summary>
    /// Returns the first interpreter with ipykernel: from the active environment, from PATH, or the system's. If
    /// <see cref="Variable"/> is set, only that interpreter is tried.
    /// </summary>
    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="note">Receives a note if the active environment has no ipykernel and was skipped.</param>
    /// <param name="cancellation">Cancels the search.</param>
    /// <exception cref="CellException">
    /// No interpreter has ipykernel; the traceback lists those that were tried.
    /// </exception>
    public static async Task<string> FindAsync(
        Func<string, string?> environment, Action<string> note, CancellationToken cancellation)
    {
        var tried = new List<string>();
        string? withoutKernel = null, passed = null;
        foreach (var (path, source) in Candidates(environment).DistinctBy(candidate => candidate.Path))
        {
            var found = await AskAsync(path, cancellation).ConfigureAwait(false);
            if (found is [var version, "yes"])
            {
                if (passed is not null)
                    note($"Python cells run in {path} (Python {version}), since the active environment has no ipykernel: "
                        + $"{passed}");
                return path;
            }
            if (found.Length > 0) withoutKernel ??= path;
            if (source.EndsWith("_ENV", StringComparison.Ordinal) || source.EndsWith("_PREFIX", StringComparison.Ordinal))
                passed ??= path;
            var state = found.Length > 0 ? $"Python {found[0]} without ipykernel" : "cannot be started";
            tried.Add($"   {path} ({source}): {state}");
        }
        throw Missing(tried, withoutKernel);
    }

    private static CellException Missing(List<string> tried, string? withoutKernel)
    {
        const string message = "No Python with ipykernel was found, which Python cells need.";
        var install = withoutKernel is null ? "Install Python 3"
            : $"Install it with: {withoutKernel} -m pip install ipykernel (Debian and Ubuntu: apt-get install python3-ipykernel)";
        return new CellException("PythonMissing", message,
            [message, "Tried:", .. tried.Count > 0 ? tried : ["   nothing: no python3 or python is on PATH"],
                $"{install}, or name another Python in the environment variable {Variable}."]);
    }

    private static List<(string Path, string Source)> Candidates(Func<string, string?> environment)
    {
        if (environment(Variable) is { Length: > 0 } chosen) return [(chosen, Variable)];
        var windows = OperatingSystem.IsWindows();
        List<(string, string)> all = [];
        foreach (var variable in new[] { "VIRTUAL_ENV", "CONDA_PREFIX" })
        {
            if (environment(variable) is not { Length: > 0 } prefix) continue;
            all.Add((Path.Combine(prefix,
                windows ? variable == "VIRTUAL_ENV" ? "Scripts/python.exe" : "python.exe" : "bin/python"), variable));
        }
        var folders = (environment("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        foreach (var name in windows ? new[] { "python.exe", "python3.exe" } : ["python3", "python"])
            all.AddRange(folders.Select(folder => (Path.Combine(folder, name), "PATH"))
                .Where(candidate => File.Exists(candidate.Item1)));
        if (!windows && File.Exists("/usr/bin/python3")) all.Add(("/usr/bin/python3", "the system's"));
        return all;
    }

    /// <summary>
    /// Returns the version of an interpreter and whether it has ipykernel; an empty array if it cannot be started.
    /// </summary>
    private static async Task<string[]> AskAsync(string path, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(path, ["-c", Question])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            try
            {
                var (output, errors) = (process.StandardOutput.ReadToEndAsync(patience.Token),
                    process.StandardError.ReadToEndAsync(patience.Token));
                await Task.WhenAll(output, errors).ConfigureAwait(false);
                await process.WaitForExitAsync(patience.Token).ConfigureAwait(false);
                var words = (await output.ConfigureAwait(false)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                return process.ExitCode == 0 && words.Length == 2 ? words : [];
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
                return [];
            }
        }
        catch (Exception error) when (error is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            return [];
        }
    }
}
