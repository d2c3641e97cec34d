using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Masked-language modelling: windows of a text in which some tokens are masked and have to be predicted.
/// </summary>
/// <remarks>
/// Devlin et al., 2019, §3.1, https://arxiv.org/abs/1810.04805: of the chosen tokens, 80 % are replaced by the
/// mask token and 10 % by a random token; 10 % stay unchanged. The choice depends only on the seed and the
/// window's index, so that a window is masked the same way whenever it is fetched.
/// </remarks>
/// <param name="windows">Windows whose inputs are masked, int64 [batch, time].</param>
/// <param name="maskToken">Id of the mask token.</param>
/// <param name="ordinaryTokens">Random replacements are drawn from the ids below this number.</param>
/// <param name="share">Probability that a token is chosen.</param>
/// <param name="seed">Seed of the choice.</param>
public sealed class MaskedTokens(IExamples windows, long maskToken, long ordinaryTokens, double share = 0.15, int seed = 1337)
    : IExamples
{
    /// <inheritdoc/>
    public long Count => windows.Count;

    /// <returns>
    /// Inputs and targets, both int64 [batch, time]; targets are -100 at positions that were not chosen.
    /// </returns>
    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        using var batch = windows.Fetch(numbers);
        var rows = (int)batch.Inputs.shape[0];
        var time = (int)batch.Inputs.shape[1];
        var inputs = batch.Inputs.data<long>().ToArray();
        var targets = Enumerable.Repeat(TokenPairs.Ignored, inputs.Length).ToArray();
        for (var row = 0; row < rows; row++)
        {
            var random = new SplitMix64(((ulong)(uint)seed << 32) ^ (ulong)numbers[row]);
            for (var place = row * time; place < (row + 1) * time; place++)
            {
                if (random.NextShare() >= share) continue;
                targets[place] = inputs[place];
                var kind = random.NextShare();
                if (kind < 0.8) inputs[place] = maskToken;
                else if (kind < 0.9) inputs[place] = (long)(random.NextShare() * ordinaryTokens);
            }
        }
        return new Batch(tensor(inputs, [rows, time]), tensor(targets, [rows, time]));
    }
}
