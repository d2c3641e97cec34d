using System.Globalization;
using ResearchKit.Layers;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>What it costs to generate a token with a key-value cache.</summary>
/// <param name="Fixed">Operations of a token that do not depend on the tokens before it.</param>
/// <param name="PerCachedToken">Operations of a token for each token that it attends to, itself included.</param>
/// <param name="CacheBytesPerToken">Bytes of the key-value cache for each token of a text, in float32.</param>
public sealed record GenerationCost(double Fixed, double PerCachedToken, double CacheBytesPerToken)
{
    /// <summary>Operations of one generated token.</summary>
    /// <param name="context">Number of tokens that it attends to, itself included.</param>
    public double OneToken(long context) => Fixed + (PerCachedToken * context);

    /// <summary>Bytes of the key-value cache.</summary>
    /// <param name="context">Number of tokens in it.</param>
    /// <param name="batch">Number of texts.</param>
    /// <param name="bytesPerNumber">4 for float32, 2 for 16-bit types.</param>
    public long CacheBytes(long context, long batch = 1, int bytesPerNumber = 4) =>
        (long)(CacheBytesPerToken / 4 * bytesPerNumber * context * batch);

    /// <summary>Computes the cost for a decoder; null for other models.</summary>
    internal static GenerationCost? Of(nn.Module model)
    {
        if (model is not ILanguageModel language) return null;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var one = Counted(model, language, 1, out var bytes);
        var two = Counted(model, language, 2, out _);
        var perToken = two - one;
        return new(one - perToken, perToken, bytes);
    }

    /// <summary>Counts the operations of the last of some tokens, which are read one by one through the cache.</summary>
    private static double Counted(nn.Module model, ILanguageModel language, int tokens, out double bytes)
    {
        using var cache = new KeyValueCache(tokens);
        var token = zeros([1, 1], int64, model.parameters().First().device);
        var training = model.training;
        model.eval();
        try
        {
            var operations = 0.0;
            for (var number = 0; number < tokens; number++)
                operations = FlopCounter.Of(model, () => language.NextLogits(token, cache));
            bytes = (double)cache.Bytes / tokens;
            return operations;
        }
        finally
        {
            model.train(training);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Fixed:N0} FLOPs a token and {PerCachedToken:N0} for each token it attends to; {CacheBytesPerToken:N0} bytes of cache a token");
}
