using static TorchSharp.torch;

namespace ResearchKit.Training;

/// <summary>
/// The processes of a data-parallel run, as one of them sees them: each trains the same model on its own share of a batch.
/// </summary>
/// <remarks>Every process calls the same methods in the same order, with tensors of the same shapes and dtypes.</remarks>
public interface ICommunicator
{
    /// <summary>Number of this process, from 0. Number 0 alone displays and writes.</summary>
    int Rank { get; }

    /// <summary>How many processes there are.</summary>
    int WorldSize { get; }

    /// <summary>Replaces each tensor by the sum of what the processes hold of it, the same bits in all of them.</summary>
    /// <param name="tensors">Contiguous floating-point or int64 tensors.</param>
    void AllReduce(IReadOnlyList<Tensor> tensors);

    /// <summary>Replaces each tensor by what one process holds of it.</summary>
    /// <param name="tensors">Contiguous tensors of any dtype.</param>
    /// <param name="from">Number of that process.</param>
    void Broadcast(IReadOnlyList<Tensor> tensors, int from);
}
