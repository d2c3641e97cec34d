using System.Text.Json;
using ResearchKit.Kernel.Jupyter;

namespace ResearchKit.Kernel.Commands.Doctor;

/// <summary>The Jupyter kernels that are registered on this machine.</summary>
internal static class InstalledKernels
{
    private static readonly string[] Environments = ["VIRTUAL_ENV", "CONDA_PREFIX"];

    /// <summary>
    /// Returns the name of each kernel, with its display name, its folder and any fault; of several kernels with
    /// the same name, the first that is found.
    /// </summary>
    public static IReadOnlyList<(string Name, string Value)> List() =>
        [.. Folders().Where(Directory.Exists).SelectMany(folder => Directory.EnumerateDirectories(folder))
            .Where(folder => File.Exists(Path.Combine(folder, "kernel.json")))
            .DistinctBy(Path.GetFileName).Select(folder => (Path.GetFileName(folder), Describe(folder)))];

    /// <summary>
    /// Returns the folders in which Jupyter looks for kernels:
    /// https://docs.jupyter.org/en/stable/use/jupyter-directories.html.
    /// </summary>
    private static IEnumerable<string> Folders()
    {
        var path = Environment.GetEnvironmentVariable("JUPYTER_PATH")
            ?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        var environments = Environments.Select(Environment.GetEnvironmentVariable).OfType<string>()
            .Select(prefix => Path.Combine(prefix, "share", "jupyter"));
        string[] system = OperatingSystem.IsWindows()
            ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "jupyter")]
            : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
        return path.Append(KernelSpec.UserData()).Concat(environments).Concat(system)
            .Select(data => Path.Combine(data, "kernels"));
    }

    private static string Describe(string folder)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "kernel.json")));
            var start = json.RootElement.GetProperty("argv")[0].GetString()!;
            var missing = Path.IsPathRooted(start) && !File.Exists(start) ? $"; {start} is missing" : "";
            return $"{json.RootElement.GetProperty("display_name").GetString()}, {folder}{missing}";
        }
        catch (Exception error)
            when (error is JsonException or KeyNotFoundException or InvalidOperationException or IOException
                or IndexOutOfRangeException)
        {
            return $"{folder}: its kernel.json cannot be read: {error.Message}";
        }
    }
}
