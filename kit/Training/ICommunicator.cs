using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// Communication between the processes of a data-parallel run, each of which trains the same model on its own
/// share of every batch.
/// </summary>
/// <remarks>Every process calls the same methods in the same order, with tensors of the same shapes and dtypes.</remarks>
public interface ICommunicator
{
    /// <summary>Rank of this process, from 0. Only rank 0 displays and writes files.</summary>
    int Rank { get; }

    /// <summary>Number of processes.</summary>
    int WorldSize { get; }

    /// <summary>
    /// All-reduce: replaces each tensor by its sum over all processes, with the same bits in all of them.
    /// </summary>
    /// <param name="tensors">Contiguous floating-point or int64 tensors.</param>
    void AllReduce(IReadOnlyList<Tensor> tensors);

    /// <summary>Broadcast: replaces each tensor by that of one process.</summary>
    /// <param name="tensors">Contiguous tensors of any dtype.</param>
    /// <param name="from">Rank of the sending process.</param>
    void Broadcast(IReadOnlyList<Tensor> tensors, int from);
}
