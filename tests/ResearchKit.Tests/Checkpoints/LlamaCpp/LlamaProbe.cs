using System.Runtime.InteropServices;
using LLama;
using LLama.Common;
using LLama.Native;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>
/// llama.cpp in a process of its own, which it ends on processors without its instructions: reads GGUF files and prints the
/// logits of a text, a line for each token, the numbers as base64.
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
        catch (Exception error) when (error is TypeInitializationException or DllNotFoundException or LLama.Exceptions.RuntimeError)
        {
            Console.WriteLine($"{Missing}: {error.Message}");
            return false;
        }
        foreach (var file in Environment.GetEnvironmentVariable(Files)!.Split(Path.PathSeparator)) Print(file);
        return true;
    }

    private static void Print(string file)
    {
        var parameters = new ModelParams(file)
        {
            ContextSize = 64,
            GpuLayerCount = 0,
            Threads = 2,
            BatchThreads = 2,
            TypeK = GGMLType.GGML_TYPE_F32,
            TypeV = GGMLType.GGML_TYPE_F32,
        };
        using var weights = LLamaWeights.LoadFromFile(parameters);
        using var context = weights.CreateContext(parameters);
        var batch = new LLamaBatch();
        for (var place = 0; place < Tokens.Count; place++) batch.Add(Tokens[place], place, LLamaSeqId.Zero, true);
        if (context.NativeHandle.Decode(batch) != DecodeResult.Ok) throw new InvalidOperationException($"{file} was not decoded.");
        Console.WriteLine(Path.GetFileName(file));
        for (var place = 0; place < Tokens.Count; place++)
            Console.WriteLine(Convert.ToBase64String(MemoryMarshal.AsBytes(context.NativeHandle.GetLogitsIth(place))));
    }
}
