using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>The kernelspec: the folder with <c>kernel.json</c> by which Jupyter finds a kernel.</summary>
/// <remarks>https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs</remarks>
public static partial class KernelSpec
{
    /// <summary>The default name of the kernel, by which notebooks refer to it.</summary>
    public const string DefaultName = "researchkit";

    /// <summary>Installs a kernelspec, replacing one of the same name.</summary>
    /// <param name="data">Jupyter's data folder, such as <see cref="UserData"/> or PREFIX/share/jupyter.</param>
    /// <param name="name">The kernel's name.</param>
    /// <param name="command">
    /// The command that starts the kernel; the path of the connection file is appended.
    /// </param>
    /// <returns>The folder of the kernelspec.</returns>
    /// <exception cref="ArgumentException">The name is not valid for a kernel.</exception>
    public static string Install(string data, string name, IEnumerable<string> command)
    {
        if (!Name().IsMatch(name))
            throw new ArgumentException($"--name {name}: expected letters, digits, '.', '-' and '_' only, which Jupyter "
                + "allows in kernel names.");
        var folder = Path.GetFullPath(Path.Combine(data, "kernels", name.ToLowerInvariant()));
        Directory.CreateDirectory(folder);
        AtomicWrite.Text(Path.Combine(folder, "kernel.json"), NotebookJson.Write(new JsonObject
        {
            ["argv"] = new JsonArray([.. command.Select(part => (JsonNode)part), "{connection_file}"]),
            ["display_name"] = name == DefaultName ? "C# (ResearchKit)" : $"C# ({name})",
            ["language"] = "C#",
            ["interrupt_mode"] = "message",
            ["metadata"] = new JsonObject { ["debugger"] = false },
        }));
        return folder;
    }

    /// <summary>Returns Jupyter's data folder of the current user.</summary>
    public static string UserData()
    {
        if (Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } set) return set;
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
        if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Jupyter");
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(home, ".local", "share");
        return Path.Combine(data, "jupyter");
    }

    [GeneratedRegex(@"^[A-Za-z0-9._\-]+$")]
    private static partial Regex Name();
}
