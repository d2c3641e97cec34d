using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Layers;

/// <summary>
/// Adds a fixed random vector to each position; the vectors are nearly orthogonal and have no order.
/// </summary>
/// <remarks>
/// A baseline that marks positions without any geometry. The table is saved with the model and not trained.
/// </remarks>
public sealed class RandomPositions : PositionalEncoding
{
    private readonly Tensor table;   // [length, channels]

    /// <param name="length">Length of the longest sequence.</param>
    /// <param name="width">Channels of the embeddings.</param>
    /// <param name="deviation">Standard deviation of each number.</param>
    public RandomPositions(int length, int width, double deviation = 1) : base(nameof(RandomPositions))
    {
        table = init.normal_(empty(length, width), 0, deviation);
        register_buffer(nameof(table), table);
    }

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, long start) => AddRows(x, get_buffer(nameof(table))!, start);

    /// <inheritdoc/>
    public override Tensor Embed(Tensor x, Tensor positions) => AddRows(x, get_buffer(nameof(table))!, positions);
}
