using System.Runtime.InteropServices;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Layers;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>Our files in the real llama.cpp.</summary>
public sealed class LlamaCppTests : IDisposable
{
    // 132 and 134: SIGILL and SIGABRT, 128 more than their numbers; 0xC000001D: illegal instruction on Windows
    private static readonly int[] Unsupported = [132, 134, unchecked((int)0xC000001D)];

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [SkippableFact]
    public void Llama_cpp_computes_the_logits_that_the_model_in_the_file_has()
    {
        // activations are rounded to 8 bits where weights are codes
        var files = new Dictionary<string, (Func<Tensor, Tensor> Model, double Tolerance)>();
        using var gpt = MakeGpt();
        using var llama = MakeLlama();
        foreach (var type in new[] { GgufType.F32, GgufType.Q8_0, GgufType.Q4_0, GgufType.Q4_K, GgufType.Q6_K })
        {
            var tolerance = type == GgufType.F32 ? 1e-3 : 0.03;
            gpt.SaveGguf(PathOf($"gpt2 {type}"), type);
            llama.SaveGguf(PathOf($"llama {type}"), type);
            files[$"gpt2 {type}"] = (Gpt.FromGguf(PathOf($"gpt2 {type}")).call, tolerance);
            files[$"llama {type}"] = (Llama.FromGguf(PathOf($"llama {type}")).call, tolerance);
        }
        using var bert = MakeBert();
        bert.SaveGguf(PathOf("bert F32"));
        files["bert F32"] = (bert.call, 0.01);   // llama.cpp approximates GELU
        bert.SaveGguf(PathOf("bert Q8_0"), GgufType.Q8_0);
        files["bert Q8_0"] = (Bert.FromGguf(PathOf("bert Q8_0")).call, 0.03);
        foreach (var gated in new[] { true, false })   // the second has tied embeddings
        {
            using var t5 = MakeT5(gated);
            var name = $"t5 {(gated ? "gated" : "tied")} Q8_0";
            t5.SaveGguf(PathOf(name), GgufType.Q8_0, gated ? Unigrams : null);
            var read = T5.FromGguf(PathOf(name));
            files[name] = (tokens => read.Logits(tokens, tokens), 0.03);
        }

        var found = InLlamaCpp(files.Keys);
        var tokens = tensor([.. LlamaProbe.Tokens.Select(token => (long)token)]).unsqueeze(0);
        foreach (var (name, (model, tolerance)) in files)
        {
            var expected = model(tokens)[0];
            var error = ((found[name] - expected).norm() / expected.norm()).item<float>();
            Assert.True(error <= tolerance, $"{name}: off by {error:p3} of the norm, allowed {tolerance:p1}");
        }
    }

    private Dictionary<string, Tensor> InLlamaCpp(IEnumerable<string> names)
    {
        var probe = ProbeProcess.Run(LlamaProbe.Name, (LlamaProbe.Files, string.Join(Path.PathSeparator, names.Select(PathOf))));
        Skip.If(Unsupported.Contains(probe.ExitCode) || probe.Output.Contains(LlamaProbe.Missing, StringComparison.Ordinal),
            $"llama.cpp does not run on this machine (exit code {probe.ExitCode}). {probe.Output}");
        Assert.True(probe.ExitCode == 0, probe.Errors);
        var lines = probe.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var each = LlamaProbe.Tokens.Count + 1;
        return lines.Chunk(each).ToDictionary(file => Path.GetFileNameWithoutExtension(file[0]), file => stack([.. file[1..]
            .Select(line => tensor(MemoryMarshal.Cast<byte, float>(Convert.FromBase64String(line)).ToArray()))]));
    }

    private static Gpt MakeGpt()
    {
        Compute.Seed(1);
        var model = new Gpt(new GptConfig
        {
            VocabularySize = 64,
            ContextLength = 64,
            ModelWidth = 256,
            Heads = 4,
            Layers = 2,
            FeedForwardWidth = 512,
        });
        return Lively(model);
    }

    private static Llama MakeLlama()
    {
        Compute.Seed(2);
        var model = new Llama(new LlamaConfig
        {
            VocabularySize = 64,
            ContextLength = 64,
            ModelWidth = 256,
            FeedForwardWidth = 512,
            Layers = 2,
            Heads = 4,
            KeyValueHeads = 2,
        });
        return Lively(model);
    }

    internal static Bert MakeBert(bool withPooler = false)
    {
        Compute.Seed(3);
        var config = BertConfig.Nano with { VocabularySize = 64, ContextLength = 64, ModelWidth = 64, Heads = 2 };
        return Lively(new Bert(config, withPooler));
    }

    private static SentencePieceTokenizer Unigrams => UnigramTrainer.Train(["the cat sat on the mat", "a dog ate the cats"], 40);

    internal static T5 MakeT5(bool gated)
    {
        Compute.Seed(4);
        return Lively(new T5(T5Config.Nano with
        {
            VocabularySize = 64,
            ModelWidth = 64,
            HeadWidth = 32,
            Heads = 4,
            Gated = gated,
            Activation = gated ? Activation.GeluTanh : Activation.Relu,
            TieEmbeddings = !gated,
            RelativeBuckets = 32,
            RelativeMaximumDistance = 128,
        }));
    }

    /// <summary>Norms and biases that do something.</summary>
    private static T Lively<T>(T model) where T : nn.Module
    {
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters())
            if (parameter.dim() == 1) parameter.add_(rand_like(parameter) * 0.2);
        model.eval();
        return model;
    }

    private string PathOf(string name) => Path.Combine(folder.Path, $"{name}.gguf");
}
