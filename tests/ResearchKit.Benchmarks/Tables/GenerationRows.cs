using ResearchKit.Benchmarks.LlamaCpp;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Native;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>Writing one token at a time with the key-value cache.</summary>
internal static class GenerationRows
{
    /// <summary>The argument that makes this program hold llama.cpp ready (<see cref="ChildTimer"/>).</summary>
    public const string LlamaCpp = "llama-cpp";

    private const int Before = 64, Tokens = 32;

    public static IEnumerable<Row> All() =>
    [
        new()
        {
            Name = "GPT-2 small, one token, packed",
            Reference = "llama.cpp in float32",
            Target = _ => 1.0,
            Rounds = 15,
            Prepare = () =>
            {
                var llama = ChildTimer.OfThisProgram("llama.cpp could not be started.", LlamaCpp, nameof(GgufType.F32));
                using var model = Model();
                var packed = model.PackForInference();
                return new Pair(Token(packed), llama.Round, packed, llama);
            },
        },
        new()
        {
            Name = "GPT-2 small: share of a token's time outside its products",
            Reference = "its products alone",
            Comparison = Comparison.Remainder,
            Target = _ => 0.2,
            Prepare = () =>
            {
                var model = Model();
                var products = new TokenProducts(model);
                return new Pair(Token(model), Pair.Time(products.Run, Tokens), products, model);
            },
        },
    ];

    /// <summary>Holds llama.cpp ready with the same weights.</summary>
    /// <param name="type">How llama.cpp holds the weights.</param>
    public static void Serve(GgufType type)
    {
        using var model = Model();
        model.eval();
        using var llama = LlamaModel.Of(model, 2 * (Before + Tokens), type);
        ChildTimer.Serve(() =>
        {
            llama.Read([.. Enumerable.Range(0, Before)]);
            var token = 0;
            return Pair.Time(() => token = llama.Next(token), Tokens)();
        });
    }

    internal static Gpt Model()
    {
        Compute.Seed(1);
        return new Gpt(GptConfig.Gpt2);
    }

    /// <summary>Milliseconds of a token after the prompt was read.</summary>
    internal static Func<double> Token(Gpt model) => () =>
    {
        using var text = model.Generate([.. Enumerable.Range(0, Before).Select(token => (long)token)],
            SamplingOptions.Greedy with { MaximumTokens = Tokens + 1 }).GetEnumerator();
        text.MoveNext();   // reads the prompt
        return Pair.Time(() => text.MoveNext(), Tokens)();
    };
}
