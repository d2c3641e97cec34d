using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>Windows of a text with some tokens hidden, which a model is to find: masked-language modelling.</summary>
/// <remarks>
/// Devlin et al., 2019, §3.1, https://arxiv.org/abs/1810.04805: of the chosen tokens eight in ten become the mask, one another
/// token, one stays. Which they are follows from the seed and the window's number, so that a batch is the same whenever it is
/// fetched.
/// </remarks>
/// <param name="windows">Whose inputs are taken, int64 [batch, time].</param>
/// <param name="maskToken">What stands for a hidden token.</param>
/// <param name="ordinaryTokens">Tokens that can stand in for another: the numbers below this.</param>
/// <param name="share">Share of the tokens that is chosen.</param>
/// <param name="seed">Decides which.</param>
public sealed class MaskedTokens(IExamples windows, long maskToken, long ordinaryTokens, double share = 0.15, int seed = 1337)
    : IExamples
{
    /// <inheritdoc/>
    public long Count => windows.Count;

    /// <returns>Inputs and targets, both int64 [batch, time]; targets are -100 where nothing was chosen.</returns>
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
