using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>How learning rate and weight decay follow the batch size and the length of a run.</summary>
/// <remarks>
/// Rules for Adam and AdamW, as nanochat uses them, https://github.com/karpathy/nanochat; the square root is that of
/// Malladi et al.,
/// 2022, https://arxiv.org/abs/2205.10287.
/// </remarks>
public static class BatchRules
{
    /// <summary>The rate for another batch: rate √(B / B₀).</summary>
    /// <param name="rate">Rate at the base batch.</param>
    /// <param name="batch">B, tokens or examples of a batch.</param>
    /// <param name="baseBatch">B₀.</param>
    public static double LearningRate(double rate, double batch, double baseBatch)
    {
        Check(batch, baseBatch);
        return rate * Math.Sqrt(batch / baseBatch);
    }

    /// <summary>The decay for another batch and another number of tokens: decay √(B / B₀) D₀ / D.</summary>
    /// <param name="decay">Decay at the base batch and tokens.</param>
    /// <param name="batch">B, tokens of a batch.</param>
    /// <param name="baseBatch">B₀.</param>
    /// <param name="tokens">D, tokens of the run.</param>
    /// <param name="baseTokens">D₀.</param>
    public static double WeightDecay(double decay, double batch, double baseBatch, double tokens, double baseTokens)
    {
        Check(batch, baseBatch);
        Check(tokens, baseTokens);
        return decay * Math.Sqrt(batch / baseBatch) * baseTokens / tokens;
    }

    private static void Check(double value, double baseValue)
    {
        Require.Positive(value);
        Require.Positive(baseValue);
    }
}
