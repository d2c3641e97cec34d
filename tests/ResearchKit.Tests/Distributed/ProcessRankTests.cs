using ResearchKit.Distributed;
using ResearchKit.Training;

namespace ResearchKit.Tests.Distributed;

/// <summary>What launchers say in the environment, who gets how many threads, and what is said where there is no MPI.</summary>
public sealed class ProcessRankTests
{
    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 PMIX_RANK=1", 1, 4)]                        // mpirun of Open MPI
    // mpirun in a job of Slurm
    [InlineData("OMPI_COMM_WORLD_RANK=3 OMPI_COMM_WORLD_SIZE=4 SLURM_PROCID=0 SLURM_NTASKS=1", 3, 4)]
    // mpirun of MPICH's kind, srun --mpi=pmi2
    [InlineData("PMI_RANK=2 PMI_SIZE=3", 2, 3)]
    [InlineData("PMIX_RANK=1 SLURM_PROCID=1 SLURM_NTASKS=2", 1, 2)]                                         // srun --mpi=pmix
    [InlineData("PMI_FD=9 SLURM_PROCID=1 SLURM_NTASKS=2", 1, 2)]
    // srun without --mpi, or the script of a batch
    [InlineData("SLURM_PROCID=1 SLURM_NTASKS=2", 0, 1)]
    [InlineData("OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=2", 0, 1)]
    [InlineData("OMPI_COMM_WORLD_RANK=-1 OMPI_COMM_WORLD_SIZE=two", 0, 1)]
    public void The_rank_is_read_from_the_environment_of_the_launcher(string environment, int rank, int count)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('='))
            .ToDictionary(one => one[0], one => one[1]);
        var process = ProcessRank.Of(name => variables.GetValueOrDefault(name));
        Assert.Equal(new ProcessRank(rank, count), process);
        Assert.Equal(rank == 0, process.IsFirst);
    }

    [Theory]
    [InlineData("1111", "2222", 4, 2)]    // two processes, bound to nothing
    [InlineData("1100", "1111", 4, 2)]    // two, bound to two each
    [InlineData("1000", "1100", 4, 1)]
    [InlineData("1111", "4444", 4, 1)]
    [InlineData("1111", "8888", 4, 1)]    // more processes than processors
    [InlineData("1111", "1111", 2, 2)]    // a container's limit on time
    [InlineData("1110", "1230", 4, 1)]
    [InlineData("0000", "0000", 4, 1)]
    public void Each_process_gets_its_share_of_the_processors_as_threads(string mine, string users, int usable, int threads) =>
        Assert.Equal(threads, ProcessorShare.Threads(Digits(mine), Digits(users), usable));

    [Fact]
    public void This_process_may_run_on_at_least_one_processor() => Assert.InRange(ProcessorShare.Mine().Sum(), 1, 1024);

    [Fact]
    public void Without_MPI_the_error_says_how_to_install_it()
    {
        var error = Assert.Throws<DllNotFoundException>(() => MpiLibrary.Load(["libnothing.so.40", "libnothing.so"]));
        Assert.Contains("tried libnothing.so.40, libnothing.so", error.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install openmpi-bin libopenmpi-dev", error.Message, StringComparison.Ordinal);
    }

    private static long[] Digits(string text) => [.. text.Select(digit => (long)(digit - '0'))];
}
