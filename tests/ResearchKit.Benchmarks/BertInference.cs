using BenchmarkDotNet.Attributes;
using ResearchKit.Benchmarks.Onnx;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>BERT-base reads 4 texts of 128 tokens: ONNX Runtime, the kit on the same weights, and the kit in bfloat16.</summary>
/// <remarks>ONNX Runtime gets the plain graph, and fuses what its optimizer finds; the results must agree before anything is timed.</remarks>
[WarmupCount(1)]
[IterationCount(6)]
public class BertInference
{
    private readonly Tensor tokens = randint(0, BertConfig.BaseUncased.VocabularySize, [4, 128], int64);
    private Bert single = null!, half = null!;
    private OnnxModel onnx = null!;

    [GlobalSetup]
    public void Setup()
    {
        using var noGrad = no_grad();
        single = new Bert(BertConfig.BaseUncased, withPooler: false);
        half = new Bert(BertConfig.BaseUncased, withPooler: false);
        half.load_state_dict(single.state_dict());
        half.bfloat16();
        single.eval();
        half.eval();
        onnx = new OnnxModel(new OnnxBert(single).Write(tokens), tokens);
        using var expected = single.call(tokens);
        onnx.MustEqual(expected);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        onnx.Dispose();
        single.Dispose();
        half.Dispose();
    }

    [Benchmark(Baseline = true)]
    public float[] OnnxRuntime() => onnx.Run();

    [Benchmark]
    public void Kit() => Read(single);

    [Benchmark]
    public void KitBfloat16() => Read(half);

    private void Read(Bert model)
    {
        using var noGrad = no_grad();
        model.call(tokens).Dispose();
    }
}
