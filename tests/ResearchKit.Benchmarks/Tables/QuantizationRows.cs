using ResearchKit.Checkpoints;
using ResearchKit.Compression;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Tables;

/// <summary>Quantized layers and models beside float32 packed for inference, llama.cpp and ONNX Runtime.</summary>
internal static class QuantizationRows
{
    private const int Inputs = 768, Outputs = 3072;
    private const long Multiplications = 1L << 30;   // of a round, about

    private static readonly (string Name, QuantizationScheme Scheme)[] Schemes =
    [
        ("int8", QuantizationScheme.EightBits), ("int8, int8 inputs", QuantizationScheme.EightBitsDynamic),
        ("int4, groups of 32", QuantizationScheme.FourBits()), ("nf4", QuantizationScheme.Nf4()),
    ];

    public static IEnumerable<Row> All() =>
    [
        .. Schemes.SelectMany(one => new[] { 1, 4, 16, 64, 128, 512 }.Select(rows => Layer(one.Name, one.Scheme, rows))),
        Token("packed float32", model => model.PackForInference(), null, "`functional.linear`", Plain),
        Token("packed bfloat16", model => model.PackForInference(bfloat16), null, "`functional.linear`", Plain),
        .. Tokens("int8", QuantizationScheme.EightBits, GgufType.Q8_0),
        .. Tokens("int4", QuantizationScheme.FourBits(symmetric: true), GgufType.Q4_0),
        .. new[] { QuantizationScheme.EightBitsDynamic, QuantizationScheme.EightBitsStatic }.SelectMany(Bert),
        Quantizing(),
    ];

    /// <summary>Layers that are used by turns, as many as do not stay in a cache where there are few rows.</summary>
    private static Row Layer(string name, QuantizationScheme scheme, int rows) => new()
    {
        Name = $"{Inputs} × {Outputs} layer, {name}, {rows} {(rows == 1 ? "row" : "rows")}",
        Reference = "packed float32",
        Target = _ => 1.0,
        Prepare = () =>
        {
            Compute.Seed(1);
            var copies = rows <= 16 ? 12 : 2;
            var layers = Enumerable.Range(0, copies).Select(_ => new Dense(Inputs, Outputs)).ToList();
            var packed = layers.ConvertAll(layer => new PackedLinear(layer.weight, float32));
            var biases = layers.ConvertAll(layer => layer.bias!);
            foreach (var layer in layers) Quantization.Quantize(layer, scheme);
            var x = randn(rows, Inputs);
            var calls = (int)Math.Clamp(Multiplications / ((long)rows * Inputs * Outputs), 4, 120);
            var (ours, reference) = (0, 0);
            return new Pair(Pair.Time(() => layers[ours++ % copies].call(x).Dispose(), calls),
                Pair.Time(() => packed[reference % copies].Multiply(x, biases[reference++ % copies]).Dispose(), calls),
                [.. layers, .. packed, x]);
        },
    };

    private static IEnumerable<Row> Tokens(string name, QuantizationScheme scheme, GgufType type)
    {
        Gpt Quantized(Gpt model)
        {
            Quantization.Quantize(model, new QuantizationPlan { Scheme = scheme, IncludesHeads = true });
            return model;
        }
        yield return Token(name, Quantized, 1.0, "packed float32", () =>
        {
            var packed = GenerationRows.Model().PackForInference();
            return (GenerationRows.Token(packed), packed);
        });
        yield return Token(name, Quantized, 1.0, $"llama.cpp's {type}", () =>
        {
            var llama = ChildTimer.OfThisProgram("llama.cpp could not be started.", GenerationRows.LlamaCpp, type.ToString());
            return (llama.Round, llama);
        });
    }

    private static (Func<double>, IDisposable) Plain()
    {
        var model = GenerationRows.Model();
        var token = GenerationRows.Token(model);
        return (() =>
        {
            // the kit's layers without the kit's kernels: all products by functional.linear
            var kernels = Compute.Kernels;
            Compute.Kernels = KernelTable.Defaults;
            try
            {
                return token();
            }
            finally
            {
                Compute.Kernels = kernels;
            }
        }, model);
    }

    private static Row Token(string name, Func<Gpt, Gpt> change, double? target, string reference,
        Func<(Func<double> Round, IDisposable Owned)> other) => new()
        {
            Name = $"GPT-2 small, one token, {name}, against {reference}",
            Reference = reference,
            Target = _ => target,
            Rounds = 15,
            Prepare = () =>
            {
                var model = change(GenerationRows.Model());
                var (round, owned) = other();
                return new Pair(GenerationRows.Token(model), round, model, owned);
            },
        };

    private static IEnumerable<Row> Bert(QuantizationScheme scheme)
    {
        foreach (var reference in new[] { "packed float32", "ONNX Runtime int8" })
            yield return new()
            {
                Name = $"BERT-base, 4 × 128 tokens, {scheme}, against {reference}",
                Reference = reference,
                Target = _ => reference == "packed float32" ? null : 1.0,
                Rounds = 11,
                Prepare = () =>
                {
                    Compute.Seed(1);
                    var model = new Bert(BertConfig.BaseUncased, withPooler: false);
                    model.eval();
                    var tokens = randint(0, BertConfig.BaseUncased.VocabularySize, [4, 128], int64);
                    Func<double> round;
                    IDisposable owned;
                    if (reference == "packed float32")
                    {
                        var packed = model.PackForInference();
                        (round, owned) = (Pair.Time(() => Infer(packed, tokens), 2), packed);
                    }
                    else
                    {
                        var onnx = ChildTimer.OfThisProgram("ONNX Runtime could not be started.", InferencePair.Command,
                            "BERT-base, int8", "4");
                        (round, owned) = (onnx.Round, onnx);
                    }
                    using var calibration = Calibration.Watch(model);
                    Infer(model, tokens);
                    calibration.Stop();
                    Quantization.Quantize(model, new QuantizationPlan { Scheme = scheme }, calibration);
                    return new Pair(Pair.Time(() => Infer(model, tokens), 2), round, model, owned, tokens);
                },
            };
    }

    private static Row Quantizing() => new()
    {
        Name = "GPT-2 small: rounding to int8",
        Reference = "nothing",
        Comparison = Comparison.Difference,
        Target = _ => 2000,
        WarmUp = 1,
        Rounds = 3,
        Prepare = () => new Pair(() =>
        {
            using var model = GenerationRows.Model();
            return Pair.Time(() => Quantization.Quantize(model))();
        }, () => 0),
    };

    private static void Infer(Bert model, Tensor tokens)
    {
        using var noGrad = no_grad();
        model.call(tokens).Dispose();
    }
}
