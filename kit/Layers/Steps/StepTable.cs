using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>A table of vectors, of which a step reads one row: float32, or codes.</summary>
/// <param name="weight">float32 [rows, channels]; empty where there are codes.</param>
/// <param name="codes">The codes, or null.</param>
internal sealed unsafe class StepTable(Tensor weight, CodePanels? codes)
{
    private readonly int width = (int)weight.shape[1];
    private float* rows;
    private IntegerJob job;

    /// <summary>Number of rows.</summary>
    public long Rows { get; } = weight.shape[0];

    /// <summary>Whether a step can read it.</summary>
    public bool IsReadable => codes is not null || StepNorm.IsPlain(weight);

    /// <summary>Reads the addresses anew; on the thread that starts the step.</summary>
    public void Locate()
    {
        if (codes is null) rows = (float*)NativeTensors.Data(weight);
        else job = codes.Located(default);
    }

    /// <summary>Writes a row.</summary>
    /// <param name="row">From 0.</param>
    /// <param name="y">[channels].</param>
    public void Read(long row, float* y)
    {
        if (codes is null) new ReadOnlySpan<float>(rows + (row * width), width).CopyTo(new Span<float>(y, width));
        else codes.Read(job, (int)row, y);
    }
}
