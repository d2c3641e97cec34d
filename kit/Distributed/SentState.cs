using System.Text.Json;
using ResearchKit.Training;
using static TorchSharp.torch;

namespace ResearchKit.Distributed;

/// <summary>
/// Sends the state that one process holds to process 0, one bucket at a time, so that no other process holds
/// more than a bucket of it.
/// </summary>
internal static class SentState
{
    private sealed record Piece(string Name, ScalarType Type, long[] Shape);

    /// <summary>Sends the state of one process to process 0. All processes must call it.</summary>
    /// <param name="workers">The processes.</param>
    /// <param name="owner">Rank of the process whose state is sent; not 0.</param>
    /// <param name="state">State of the calling process; read only in the owner.</param>
    /// <returns>In process 0 the state, in main memory, which the caller must dispose; in other processes an empty
    /// list.</returns>
    public static IReadOnlyList<(string Name, Tensor Value)> Copy(ICommunicator workers, int owner,
        IReadOnlyDictionary<string, Tensor> state)
    {
        using var noGrad = no_grad();
        var mine = workers.Rank == owner;
        var kept = new List<(string, Tensor)>();
        var pieces = Announce(workers, owner,
            mine ? [.. state.Select(pair => new Piece(pair.Key, pair.Value.dtype, pair.Value.shape))] : []);
        for (var next = 0; next < pieces.Count;)
        {
            using var scope = NewDisposeScope();
            var bucket = new List<Tensor>();
            var bytes = 0L;
            while (next < pieces.Count && (bucket.Count == 0 || bytes < FlatTensors.BucketBytes))
            {
                var piece = pieces[next++];
                var tensor = mine ? state[piece.Name].cpu() : empty(piece.Shape, piece.Type);
                bucket.Add(tensor);
                bytes += tensor.numel() * tensor.element_size();
                if (workers.Rank == 0) kept.Add((piece.Name, tensor.DetachFromDisposeScope()));
            }
            workers.Broadcast(bucket, owner);
        }
        return kept;
    }

    /// <summary>Broadcasts the names, dtypes and shapes of the owner's state to all processes.</summary>
    private static List<Piece> Announce(ICommunicator workers, int owner, List<Piece> pieces)
    {
        using var scope = NewDisposeScope();
        var text = JsonSerializer.SerializeToUtf8Bytes(pieces);
        var length = tensor(new long[] { text.Length });
        workers.Broadcast([length], owner);
        var bytes = workers.Rank == owner ? tensor(text) : empty([length.item<long>()], uint8);
        workers.Broadcast([bytes], owner);
        return JsonSerializer.Deserialize<List<Piece>>(bytes.bytes)!;
    }
}
