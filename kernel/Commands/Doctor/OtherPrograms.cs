namespace ResearchKit.Kernel.Commands.Doctor;

/// <summary>External programs that parts of the project need, and how to install them.</summary>
internal static class OtherPrograms
{
    private static readonly (string Program, string For, string Install)[] Known =
    [
        ("git", "the commit in run records", "apt-get install git, or https://git-scm.com"),
        ("python3", "Python cells", "apt-get install python3-ipykernel, or https://python.org and pip install ipykernel"),
        ("jupyter", "notebooks in a browser", "apt-get install jupyter-notebook, or pip install jupyterlab"),
        ("mpirun", "training in several processes", "apt-get install openmpi-bin libopenmpi-dev"),
    ];

    /// <summary>Returns the path of each program, or how to install it if it is missing.</summary>
    public static IReadOnlyList<(string Name, string Value)> List() =>
        [.. Known.Select(one => (one.Program, Find(one.Program) ?? $"missing; for {one.For}: {one.Install}"))];

    private static string? Find(string program)
    {
        string[] names = OperatingSystem.IsWindows() ? [$"{program}.exe", $"{program}.cmd", $"{program.TrimEnd('3')}.exe"]
            : [program];
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }
}
