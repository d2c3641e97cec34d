using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

/// <summary>An ONNX file that ONNX Runtime runs.</summary>
internal sealed class OnnxRun : IDisposable
{
    private readonly SessionOptions options = new()
    {
        IntraOpNumThreads = 2,
        LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
    };
    private readonly InferenceSession session;

    public OnnxRun(string path) => session = new InferenceSession(path, options);

    public IReadOnlyList<string> Inputs => session.InputNames;

    public IReadOnlyList<string> Outputs => session.OutputNames;

    /// <summary>All outputs, float32, for inputs in the order of the file.</summary>
    public IReadOnlyList<Tensor> Run(params Tensor[] inputs)
    {
        using var run = new RunOptions();
        var values = inputs.Select(input => input.dtype == ScalarType.Int64
            ? OrtValue.CreateTensorValueFromMemory(input.contiguous().data<long>().ToArray(), input.shape)
            : OrtValue.CreateTensorValueFromMemory(input.contiguous().data<float>().ToArray(), input.shape)).ToList();
        try
        {
            using var results = session.Run(run, session.InputNames, values, session.OutputNames);
            return [.. results.Select(result => tensor(result.GetTensorDataAsSpan<float>().ToArray())
                .view(result.GetTensorTypeAndShape().Shape))];
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    public void Dispose()
    {
        session.Dispose();
        options.Dispose();
    }
}
