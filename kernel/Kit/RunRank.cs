using System.Globalization;
using ResearchKit.Training;

namespace ResearchKit.Kernel.Kit;

/// <summary>The rank of this process among those that <c>mpirun</c> or <c>srun</c> started together.</summary>
/// <param name="Rank">The rank, from 0.</param>
/// <param name="WorldSize">The number of processes; 1 without a launcher.</param>
internal sealed record RunRank(int Rank, int WorldSize)
{
    /// <summary>Whether this process shows and writes results.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Reads the rank as the kit's distributed training does.</summary>
    public static RunRank FromEnvironment()
    {
        var process = ProcessRank.FromEnvironment();
        return new RunRank(process.Rank, process.WorldSize);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"Process {Rank} of {WorldSize}");
}
