using System.Globalization;

namespace ResearchKit.Training;

/// <summary>
/// Which of the processes that <c>mpirun</c> or <c>srun</c> started together this one is; the launcher says it in the
/// environment.
/// </summary>
/// <param name="Rank">Its number, from 0.</param>
/// <param name="WorldSize">How many were started together, itself counted; 1 where neither launcher did.</param>
public sealed record ProcessRank(int Rank, int WorldSize)
{
    private static readonly string[] Pmi = ["PMIX_RANK", "PMI_RANK", "PMI_FD"];   // whom a process of srun asks for the others
    private static readonly ProcessRank Alone = new(0, 1);

    /// <summary>Whether it is the one that shows and writes.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>
    /// Reads it from the environment. Several tasks of srun that cannot ask for one another (no <c>--mpi</c>) are each alone.
    /// </summary>
    public static ProcessRank FromEnvironment() => Of(Environment.GetEnvironmentVariable);

    /// <param name="variable">The environment.</param>
    internal static ProcessRank Of(Func<string, string?> variable) =>
        Named(variable, ["OMPI_COMM_WORLD_RANK"], "OMPI_COMM_WORLD_SIZE")
        ?? Named(variable, ["PMI_RANK"], "PMI_SIZE")
        ?? (Pmi.Any(name => variable(name) is not null)
            ? Named(variable, ["PMIX_RANK", "PMI_RANK", "SLURM_PROCID"], "SLURM_NTASKS") : null)
        ?? Alone;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Process {Rank} of {WorldSize}");

    private static ProcessRank? Named(Func<string, string?> variable, string[] ranks, string count) =>
        Number(ranks.Select(variable).FirstOrDefault(value => value is not null)) is { } rank
            && Number(variable(count)) is { } all && rank < all
            ? new ProcessRank(rank, all) : null;

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
