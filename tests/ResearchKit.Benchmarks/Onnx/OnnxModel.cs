using Microsoft.ML.OnnxRuntime;
using ResearchKit.Checkpoints;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks.Onnx;

/// <summary>A model that ONNX Runtime is ready to run, on as many threads as libtorch has, for one input.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly SessionOptions options = new() { IntraOpNumThreads = Compute.Threads };
    private readonly RunOptions run = new();
    private readonly InferenceSession session;
    private readonly OrtValue input;

    public OnnxModel(nn.Module model, Tensor input, OnnxPrecision precision)
    {
        var path = Path.Combine(Path.GetTempPath(), $"researchkit-{Environment.ProcessId}.onnx");
        try
        {
            model.SaveOnnx(path, new OnnxOptions { Precision = precision });
            session = new InferenceSession(path, options);
        }
        finally
        {
            File.Delete(path);
        }
        this.input = input.dtype == ScalarType.Int64
            ? OrtValue.CreateTensorValueFromMemory(input.data<long>().ToArray(), input.shape)
            : OrtValue.CreateTensorValueFromMemory(input.data<float>().ToArray(), input.shape);
    }

    /// <summary>One pass over the input.</summary>
    public float[] Run()
    {
        using var results = session.Run(run, session.InputNames, [input], session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>
    /// Stops where the two differ by more than a share of the largest number: they must be the same model to be compared.
    /// </summary>
    public void MustEqual(Tensor expected, double tolerance)
    {
        using var scope = NewDisposeScope();
        var (largest, difference) =
            (expected.abs().max().item<float>(), (tensor(Run()).view(expected.shape) - expected).abs().max().item<float>());
        if (!(difference <= tolerance * largest))
            throw new InvalidOperationException($"ONNX Runtime differs by {difference}; the largest number is {largest}.");
    }

    public void Dispose()
    {
        input.Dispose();
        session.Dispose();
        run.Dispose();
        options.Dispose();
    }
}
