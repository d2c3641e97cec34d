using LLama;
using LLama.Common;
using LLama.Native;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.LlamaCpp;

/// <summary>A GPT of the kit in llama.cpp, on as many threads as libtorch has.</summary>
internal sealed class LlamaModel : IDisposable
{
    private const float RelativeError = 5e-3f;   // llama.cpp keeps keys and values in float16

    private readonly LLamaWeights weights;
    private readonly LLamaContext context;
    private int position;

    private LlamaModel(string file, int contextLength)
    {
        var parameters = new ModelParams(file)
        {
            ContextSize = (uint)contextLength,
            GpuLayerCount = 0,
            Threads = Compute.Threads,
            BatchThreads = Compute.Threads
        };
        weights = LLamaWeights.LoadFromFile(parameters);
        context = weights.CreateContext(parameters);
    }

    /// <summary>Writes the model for llama.cpp, opens it there, and compares its logits with the kit's.</summary>
    public static LlamaModel Of(Gpt model, int contextLength, GgufType type = GgufType.F32)
    {
        NativeLogConfig.llama_log_set((LLamaLogLevel level, string message) =>
        {
            if (level == LLamaLogLevel.Error) Console.Error.Write(message);
        });
        var path = Path.Combine(Path.GetTempPath(), $"researchkit-{Environment.ProcessId}.gguf");
        try
        {
            model.SaveGguf(path, type);
            var llama = new LlamaModel(path, contextLength);
            if (type == GgufType.F32) llama.MustEqual(model);
            return llama;
        }
        finally
        {
            File.Delete(path);   // its pages stay mapped
        }
    }

    /// <summary>Forgets the text and reads another one.</summary>
    public void Read(IReadOnlyList<int> tokens)
    {
        context.NativeHandle.MemoryClear();
        var batch = new LLamaBatch();
        for (position = 0; position < tokens.Count; position++)
            batch.Add(tokens[position], position, LLamaSeqId.Zero, position == tokens.Count - 1);
        Decode(batch);
    }

    /// <summary>Reads one more token and finds the likeliest next one.</summary>
    public int Next(int token)
    {
        var batch = new LLamaBatch();
        batch.Add(token, position++, LLamaSeqId.Zero, true);
        Decode(batch);
        return System.Numerics.Tensors.TensorPrimitives.IndexOfMax(context.NativeHandle.GetLogitsIth(0));
    }

    public void Dispose()
    {
        context.Dispose();
        weights.Dispose();
    }

    private void Decode(LLamaBatch batch)
    {
        if (context.NativeHandle.Decode(batch) != DecodeResult.Ok)
            throw new InvalidOperationException("llama.cpp could not read the tokens.");
    }

    private void MustEqual(Gpt model)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var tokens = Enumerable.Range(0, 24).Select(place => place * 7 % 65).ToArray();
        Read(tokens);
        var logits = tensor(context.NativeHandle.GetLogitsIth(tokens.Length - 1).ToArray());
        var expected = model.call(tensor(tokens.Select(token => (long)token).ToArray()).unsqueeze(0))[0, -1];
        var error = ((logits - expected).norm() / expected.norm()).item<float>();
        if (!(error <= RelativeError))
            throw new InvalidOperationException($"llama.cpp's logits differ by {error} of their norm.");
    }
}
