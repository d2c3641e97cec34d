using System.Runtime.InteropServices;
using LLama;
using LLama.Common;
using LLama.Native;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>
/// llama.cpp in a process of its own, which it ends on processors without its instructions: reads GGUF files and prints what it
/// computes for each token of a text (logits; a BERT's embeddings), a line for each, the numbers as base64.
/// </summary>
internal static class LlamaProbe
{
    public const string Name = "llama-cpp", Files = "RESEARCHKIT_TEST_GGUF", Missing = "llama.cpp cannot be loaded";

    /// <summary>The text: token i.</summary>
    public static IReadOnlyList<int> Tokens { get; } = [.. Enumerable.Range(0, 12).Select(place => place * 7 % 40)];

    public static bool Run()
    {
        try
        {
            NativeLogConfig.llama_log_set((LLamaLogLevel level, string message) =>
            {
                if (level == LLamaLogLevel.Error) Console.Error.Write(message);
            });
            NativeApi.llama_empty_call();
        }
        catch (Exception error)
            when (error is TypeInitializationException or DllNotFoundException or LLama.Exceptions.RuntimeError)
        {
            Console.WriteLine($"{Missing}: {error.Message}");
            return false;
        }
        foreach (var file in Environment.GetEnvironmentVariable(Files)!.Split(Path.PathSeparator)) Print(file);
        return true;
    }

    private static void Print(string file)
    {
        var name = Path.GetFileName(file);
        var isBert = name.StartsWith("bert", StringComparison.Ordinal);
        var parameters = new ModelParams(file)
        {
            ContextSize = 64,
            GpuLayerCount = 0,
            Threads = 2,
            BatchThreads = 2,
            TypeK = GGMLType.GGML_TYPE_F32,
            TypeV = GGMLType.GGML_TYPE_F32,
            Embeddings = isBert,
            PoolingType = isBert ? LLamaPoolingType.None : LLamaPoolingType.Unspecified,
        };
        using var weights = LLamaWeights.LoadFromFile(parameters);
        using var context = weights.CreateContext(parameters);
        var batch = new LLamaBatch();
        for (var place = 0; place < Tokens.Count; place++) batch.Add(Tokens[place], place, LLamaSeqId.Zero, true);
        var handle = context.NativeHandle;
        if (weights.NativeHandle.HasEncoder && !isBert) Check(handle.Encode(batch) == 0);   // T5 reads the text, then writes it
        Check(handle.Decode(batch) == DecodeResult.Ok);
        Console.WriteLine(name);
        for (var place = 0; place < Tokens.Count; place++)
            Console.WriteLine(Convert.ToBase64String(MemoryMarshal.AsBytes(
                isBert ? handle.GetEmbeddingsIth(place) : handle.GetLogitsIth(place))));

        void Check(bool isRight)
        {
            if (!isRight) throw new InvalidOperationException($"llama.cpp could not read the tokens with {file}.");
        }
    }
}
