using System.Globalization;

namespace ResearchKit.Kernel.Commands.Running;

/// <summary>Which of the processes that <c>mpirun</c> or <c>srun</c> started together this one is.</summary>
/// <param name="Rank">Its number, from 0.</param>
/// <param name="Count">How many there are.</param>
internal sealed record ProcessRank(int Rank, int Count)
{
    private static readonly string[] Ranks = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"];
    private static readonly string[] Counts = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"];

    /// <summary>Whether it is the one that a person hears.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>What errors begin with, where there are others.</summary>
    public string Prefix => Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"Process {Rank} of {Count}: ");

    /// <summary>Reads it from the environment.</summary>
    public static ProcessRank Of(Func<string, string?> variable)
    {
        var (rank, count) = (Number(Ranks, variable), Number(Counts, variable));
        return rank is { } mine && count > mine ? new ProcessRank(mine, count.Value) : new ProcessRank(0, 1);
    }

    private static int? Number(string[] names, Func<string, string?> variable) =>
        int.TryParse(names.Select(variable).FirstOrDefault(value => value is not null), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : null;
}
