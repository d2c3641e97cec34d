using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>State of the random number generators of all processes of a run.</summary>
/// <remarks>
/// TorchSharp exposes only the CPU's generator. On CUDA, a resumed run therefore draws other random numbers,
/// for example in dropout.
/// </remarks>
internal static class RandomState
{
    private const string Processor = "cpu";

    /// <summary>
    /// Gives each rank its own random stream, derived from that of rank 0. All ranks must call it.
    /// </summary>
    /// <remarks>
    /// Otherwise ranks with the same seed would use the same dropout masks on their shares of a batch.
    /// </remarks>
    public static void Part(ICommunicator workers)
    {
        using var scope = NewDisposeScope();
        var seed = randint(int.MaxValue, [1], ScalarType.Int64);
        workers.Broadcast([seed], from: 0);
        // libtorch's generator uses 32 bits of it
        if (workers.Rank > 0) manual_seed(seed.item<long>() + workers.Rank);
    }

    /// <summary>Returns the states of all ranks, uint8 [processes, bytes]. All ranks must call it.</summary>
    public static Dictionary<string, Tensor> Of(ICommunicator? workers)
    {
        var state = get_rng_state();
        if (workers is not { WorldSize: > 1 }) return new() { [Processor] = state.unsqueeze(0) };
        var rows = zeros([workers.WorldSize, state.numel()], ScalarType.Int64);
        rows[workers.Rank].copy_(state);
        workers.AllReduce([rows]);
        return new() { [Processor] = rows.to(ScalarType.Byte) };
    }

    /// <summary>Returns the state of this rank.</summary>
    /// <exception cref="InvalidDataException">
    /// The state is missing, or the run had another number of processes.
    /// </exception>
    public static Tensor Own(IReadOnlyDictionary<string, Tensor> states, ICommunicator? workers, string path)
    {
        var (rank, count) = workers is null ? (0, 1) : (workers.Rank, workers.WorldSize);
        if (!states.TryGetValue(Processor, out var all) || all.dim() != 2)
            throw new InvalidDataException($"{path} has no state of the CPU's random number generator.");
        if (all.shape[0] != count)
            throw new InvalidDataException($"{path} is of a run of {all.shape[0]} processes; this one has {count}.");
        return all[rank].clone();
    }
}
