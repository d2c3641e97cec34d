using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>A weight as whole numbers, as <see cref="CodePanels"/> takes it.</summary>
/// <param name="Storage">How the codes are stored.</param>
/// <param name="Codes">[out, in]: int8 from −128 for bytes, uint8 from 0 to 15 otherwise.</param>
/// <param name="Scales">float32 [out, groups].</param>
/// <param name="Zeros">int8 [out, groups], the codes that stand for 0; null where all are <paramref name="Zero"/>.</param>
/// <param name="Zero">The code that stands for 0, where there are no <paramref name="Zeros"/>.</param>
/// <param name="Table">The numbers from −1 to 1 that codes of a table stand for; null for even steps.</param>
internal sealed record WeightCodes(
    CodeStorage Storage, Tensor Codes, Tensor Scales, Tensor? Zeros = null, int Zero = 0, IReadOnlyList<float>? Table = null)
{
    /// <summary>The largest whole number, without its sign, that a weight becomes less its zero point.</summary>
    public int LargestMagnitude => (Storage, Zeros) switch
    {
        (CodeStorage.Table, _) => 8191,
        (CodeStorage.Nibbles, _) => 15,
        (_, null) => 128,
        _ => 255,
    };
}
