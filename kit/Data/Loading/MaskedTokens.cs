using static TorchSharp.torch;

namespace ResearchKit.Data;

/// <summary>
/// Masked-language modelling: windows of a text in which some tokens are masked and have to be predicted.
/// </summary>
/// <remarks>
/// Devlin et al., 2019, §3.1, https://arxiv.org/abs/1810.04805: of the chosen tokens, 80 % are replaced by the
/// mask token and 10 % by a random token; 10 % stay unchanged. Padding (where the mask of a batch is 0) and special tokens are
/// never chosen. The choice depends only on the seed and the window's index, so that a window is masked the same way whenever it
/// is fetched; or, if it is masked anew, on how often the loader had drawn before (dynamic masking, Liu et al., 2019,
/// https://arxiv.org/abs/1907.11692).
/// </remarks>
/// <param name="windows">Windows whose inputs are masked, int64 [batch, time], with or without an attention mask.</param>
/// <param name="maskToken">Id of the mask token.</param>
/// <param name="ordinaryTokens">Random replacements are drawn from the ids below this number.</param>
/// <param name="share">Probability that a token is chosen.</param>
/// <param name="seed">Seed of the choice.</param>
/// <param name="special">Ids of special tokens such as [CLS] and [SEP], which are never chosen; null for none.</param>
/// <param name="anew">Whether a window is masked in another way each time a loader draws it.</param>
public sealed class MaskedTokens(IExamples windows, long maskToken, long ordinaryTokens, double share = 0.15, int seed = 1337,
    IReadOnlyCollection<long>? special = null, bool anew = false) : IExamples
{
    private readonly HashSet<long> never = [.. special ?? []];

    /// <inheritdoc/>
    public long Count => windows.Count;

    /// <returns>
    /// Inputs and targets, both int64 [batch, time], and the attention mask of the windows if they have one; targets are -100 at
    /// positions that were not chosen.
    /// </returns>
    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers)
    {
        using var batch = windows.Fetch(numbers);
        return Masked(batch, row => new SplitMix64(((ulong)(uint)seed << 32) ^ (ulong)numbers[row]));
    }

    /// <inheritdoc/>
    public Batch Fetch(IReadOnlyList<long> numbers, IReadOnlyList<long> draws)
    {
        using var batch = windows.Fetch(numbers, draws);
        return Masked(batch, row => new SplitMix64(((ulong)(uint)seed << 32) ^ (ulong)(anew ? draws[row] : numbers[row])));
    }

    private Batch Masked(Batch batch, Func<int, SplitMix64> stream)
    {
        var (rows, time) = ((int)batch.Inputs.shape[0], (int)batch.Inputs.shape[1]);
        var inputs = batch.Inputs.data<long>().ToArray();
        var present = batch.Mask?.data<long>().ToArray();
        var targets = Enumerable.Repeat(TokenPairs.Ignored, inputs.Length).ToArray();
        for (var row = 0; row < rows; row++)
        {
            var random = stream(row);
            for (var place = row * time; place < (row + 1) * time; place++)
            {
                if (present is not null && present[place] == 0 || never.Contains(inputs[place])) continue;
                if (random.NextShare() >= share) continue;
                targets[place] = inputs[place];
                var kind = random.NextShare();
                if (kind < 0.8) inputs[place] = maskToken;
                else if (kind < 0.9) inputs[place] = (long)(random.NextShare() * ordinaryTokens);
            }
        }
        return new Batch(tensor(inputs, [rows, time]), tensor(targets, [rows, time]), batch.Mask?.clone());
    }
}
