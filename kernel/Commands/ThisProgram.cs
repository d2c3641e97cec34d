using System.Reflection;

namespace ResearchKit.Kernel.Commands;

/// <summary>The command lines that start this program again.</summary>
internal static class ThisProgram
{
    private const string Name = "researchkit";

    /// <summary>Whether this process was started as this program, and not as another one that calls its commands.</summary>
    public static bool IsEntry => Assembly.GetEntryAssembly() == typeof(ThisProgram).Assembly;

    /// <summary>
    /// As <see cref="Command"/>, but still valid after an update of this program: an installed .NET tool is stored
    /// below
    /// <c>.store</c> in a folder of its version, and its launcher, which keeps its path, is beside <c>.store</c>.
    /// </summary>
    public static string[] LastingCommand(params string[] arguments)
    {
        var folders = AppContext.BaseDirectory.Split($"{Path.DirectorySeparatorChar}.store{Path.DirectorySeparatorChar}", 2);
        var start = Path.Combine(folders[0], OperatingSystem.IsWindows() ? $"{Name}.exe" : Name);
        return folders.Length == 2 && File.Exists(start) ? [start, .. arguments] : Command(arguments);
    }

    /// <summary>Returns this executable, or <c>dotnet</c> and this assembly, followed by the arguments.</summary>
    public static string[] Command(params string[] arguments)
    {
        var (process, assembly) = (Environment.ProcessPath ?? "dotnet",
            Path.Combine(AppContext.BaseDirectory, "ResearchKit.Kernel.dll"));
        var isHost = Path.GetFileNameWithoutExtension(process) == "dotnet";
        if (!isHost && IsEntry) return [process, .. arguments];
        return [isHost ? process : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", assembly, .. arguments];
    }
}
