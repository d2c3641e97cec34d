using static TorchSharp.torch;

namespace ResearchKit.Models;

/// <summary>Samples tokens by <see cref="SamplingOptions"/>; the same seed gives the same tokens.</summary>
internal sealed class Sampler(SamplingOptions options, Device device) : IDisposable
{
    private readonly Generator generator = new((ulong)options.Seed, device);

    /// <summary>
    /// Below this temperature a logit divided by it could be infinite, and no token but the likeliest has a probability.
    /// </summary>
    private const double Coldest = 1e-30;

    /// <param name="logits">[vocabulary].</param>
    /// <param name="history">The tokens so far; null for none.</param>
    public GeneratedToken Choose(Tensor logits, TokenHistory? history = null)
    {
        using var scope = NewDisposeScope();
        logits = logits.to(float32);
        var scores = LogitRules.Apply(options, logits, history ?? new TokenHistory([]));
        var id = (options.Temperature < Coldest ? scores.argmax() : Draw(scores / options.Temperature)).item<long>();
        return new GeneratedToken(id, logits.softmax(0)[id].item<float>());
    }

    public void Dispose() => generator.Dispose();

    private Tensor Draw(Tensor logits) => Truncate(logits).softmax(0).multinomial(1, generator: generator);

    /// <summary>Sets the logits of tokens excluded by top-k, top-p, min-p and typical-p to -∞.</summary>
    internal Tensor Truncate(Tensor logits)
    {
        if (options.TopK is { } k && k < logits.shape[0])
        {
            var least = logits.topk(k).values.min();
            logits = logits.masked_fill(logits < least, double.NegativeInfinity);
        }
        if (options.TopP is { } p && p < 1)
        {
            var (sorted, order) = logits.sort(0, descending: true);
            var probability = sorted.softmax(0);
            // more probable tokens already reach p without this one
            var reached = (probability.cumsum(0) - probability) >= p;
            logits = logits.masked_fill(zeros_like(reached).scatter_(0, order, reached), double.NegativeInfinity);
        }
        if (options.MinP is { } share && share > 0)
        {
            var probability = logits.softmax(0);
            logits = logits.masked_fill(probability < probability.max() * share, double.NegativeInfinity);
        }
        return options.TypicalP is { } mass && mass < 1 ? Typical(logits, mass) : logits;
    }

    private static Tensor Typical(Tensor logits, double mass)
    {
        var log = logits.log_softmax(0);
        var probability = log.exp();
        var entropy = -(probability * log).masked_fill(probability.eq(0), 0).sum();
        var distance = (-log - entropy).abs();
        var (sorted, order) = distance.sort(0);
        var before = (probability.gather(0, order).cumsum(0) < mass).to(int64).sum().item<long>();
        return logits.masked_fill(distance > sorted[Math.Min(before, logits.shape[0] - 1)], double.NegativeInfinity);
    }
}
