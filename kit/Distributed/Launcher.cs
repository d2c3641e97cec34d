using System.Globalization;

namespace ResearchKit.Distributed;

/// <summary>What the program that started this one says of it in the environment.</summary>
internal static class Launcher
{
    private static readonly string[] Addresses = ["PMIX_RANK", "PMI_RANK", "PMI_FD"];   // whom a process of srun asks for the others

    /// <summary>How many processes were started together with this one, itself counted: 1 where neither mpirun nor srun did.</summary>
    /// <param name="variable">The environment.</param>
    public static int Processes(Func<string, string?> variable)
    {
        var count = variable("OMPI_COMM_WORLD_SIZE") ?? variable("PMI_SIZE")
            ?? (Addresses.Any(address => variable(address) is not null) ? variable("SLURM_NTASKS") : null);
        return int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var processes) ? Math.Max(1, processes) : 1;
    }
}
