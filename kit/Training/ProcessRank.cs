using System.Globalization;

namespace ResearchKit.Training;

/// <summary>
/// Rank of this process and world size, read from the environment variables that <c>mpirun</c> or <c>srun</c>
/// set.
/// </summary>
/// <param name="Rank">Number of this process, from 0.</param>
/// <param name="WorldSize">Number of processes that were started together, this one included; 1 without a
/// launcher.</param>
public sealed record ProcessRank(int Rank, int WorldSize)
{
    // Set where srun gives a process a way to reach the others.
    private static readonly string[] Pmi = ["PMIX_RANK", "PMI_RANK", "PMI_FD"];
    private static readonly ProcessRank Alone = new(0, 1);

    /// <summary>Whether this is process 0, the one that displays output and writes files.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>
    /// Reads rank and world size from the environment. Tasks that srun started without <c>--mpi</c> cannot reach
    /// each other, so each counts as the only process.
    /// </summary>
    public static ProcessRank FromEnvironment() => Of(Environment.GetEnvironmentVariable);

    /// <param name="variable">Returns the value of an environment variable, or null.</param>
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
