using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>Where the generator of random numbers stands, in every process of a run.</summary>
/// <remarks>
/// TorchSharp shows the CPU's generator alone: on CUDA what draws random numbers while training, such as dropout, draws others
/// after a resume.
/// </remarks>
internal static class RandomState
{
    private const string Processor = "cpu";

    /// <summary>
    /// Gives each process a stream of random numbers of its own, which follows from that of the first; all processes call it.
    /// </summary>
    /// <remarks>Processes that were seeded alike would else drop out the same places of their parts of a batch.</remarks>
    public static void Part(ICommunicator workers)
    {
        using var scope = NewDisposeScope();
        var seed = randint(int.MaxValue, [1], ScalarType.Int64);
        workers.Broadcast([seed], from: 0);
        if (workers.Rank > 0) manual_seed(seed.item<long>() + workers.Rank);   // libtorch's generator heeds 32 bits of it
    }

    /// <summary>uint8 [processes, bytes]; all processes must ask for it together.</summary>
    public static Dictionary<string, Tensor> Of(ICommunicator? workers)
    {
        var state = get_rng_state();
        if (workers is not { WorldSize: > 1 }) return new() { [Processor] = state.unsqueeze(0) };
        var rows = zeros([workers.WorldSize, state.numel()], ScalarType.Int64);
        rows[workers.Rank].copy_(state);
        workers.AllReduce([rows]);
        return new() { [Processor] = rows.to(ScalarType.Byte) };
    }

    /// <summary>This process' state.</summary>
    /// <exception cref="InvalidDataException">It is missing, or there were more or fewer processes.</exception>
    public static Tensor Own(IReadOnlyDictionary<string, Tensor> states, ICommunicator? workers, string path)
    {
        var (rank, count) = workers is null ? (0, 1) : (workers.Rank, workers.WorldSize);
        if (!states.TryGetValue(Processor, out var all) || all.dim() != 2)
            throw new InvalidDataException($"{path} lacks the state of the CPU's generator.");
        if (all.shape[0] != count)
            throw new InvalidDataException($"{path} is of a run of {all.shape[0]} processes; this one has {count}.");
        return all[rank].clone();
    }
}
