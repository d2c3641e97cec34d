using ResearchKit.Models;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>Writing one token at a time with the key-value cache.</summary>
internal static class GenerationRows
{
    private const int Before = 64, Tokens = 32;

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "GPT-2 small: share of a token's time outside its products",
            Reference = "its products alone",
            Comparison = Comparison.Remainder,
            Target = _ => 0.2,
            Prepare = () => GptToken(GptConfig.Gpt2),
        },
    ];

    /// <summary>Milliseconds of a token, and of nothing but the products with its weights, through the same layers.</summary>
    private static Pair GptToken(GptConfig config)
    {
        var model = new Gpt(config);
        var products = new TokenProducts(model);
        IEnumerator<GeneratedToken> Begin() => model.Generate([.. Enumerable.Range(0, Before).Select(token => (long)token)],
            SamplingOptions.Greedy with { MaximumTokens = Tokens + 1 }).GetEnumerator();
        return new Pair(
            () =>
            {
                using var text = Begin();
                text.MoveNext();   // reads the prompt
                return Pair.Time(() => text.MoveNext(), Tokens)();
            },
            Pair.Time(products.Run, Tokens), products, model);
    }
}
